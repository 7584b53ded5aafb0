import { existsSync } from "node:fs";
import { mkdir, readdir, rm, rmdir, statfs } from "node:fs/promises";
import { growImage, type ImagePrograms, isSmaller, makeImage, repairImage } from "./image-file.ts";
import type { WorkspaceDisk } from "./host-workspaces.ts";
import { mountImage } from "./mount-image.ts";
import { mountPoints } from "./mount-table.ts";
import { runProgram } from "../run-program.ts";

export interface ImageDiskOptions {
  readonly folders: {
    readonly workspaces: string;
    readonly templates: string;
    readonly own: { readonly mounts: string; readonly staging: string };
  };
  readonly programs: ImagePrograms;
}

/** Each workspace is an ext4 file system in a file of its own, mounted only while it is used. Needs root. */
export function createImageDisk({ folders, programs }: ImageDiskOptions): WorkspaceDisk {
  const { workspaces, templates, own } = folders;
  const fileOf = (id: string) => `${workspaces}/${id}.img`;
  const mountOf = (id: string) => `${own.mounts}/${id}`;
  return {
    has: (id) => existsSync(fileOf(id)),
    async create(id, limits) {
      if (existsSync(fileOf(id))) await growImage(programs, fileOf(id), limits);
      else await makeImage(programs, { file: fileOf(id), draft: `${own.staging}/${id}`, templates, limits });
    },
    lacks: (id, limits) => isSmaller(fileOf(id), limits),
    async open(id) {
      const at = mountOf(id);
      const place = { root: `${at}/files`, staging: `${at}/staging`, trash: `${at}/trash` };
      if (mountPoints().includes(at)) return place;
      await repairImage(programs, fileOf(id));
      await mkdir(at, { recursive: true, mode: 0o700 });
      await mountImage(programs, fileOf(id), at);
      for (const path of Object.values(place)) await mkdir(path, { recursive: true, mode: 0o700 });
      return place;
    },
    async usage(id) {
      const { bsize, blocks, bfree, files, ffree } = await statfs(mountOf(id));
      return { bytes: (blocks - bfree) * bsize, files: Math.max(0, files - ffree - ownInodes) };
    },
    async close(id) {
      await unmountBelow(programs, mountOf(id));
      await rmdir(mountOf(id)).catch(() => {
        // Somebody still looks into it: the next sweep removes the empty folder.
      });
    },
    remove: (id) => rm(fileOf(id), { force: true }),
    list: async () =>
      (await readdir(workspaces)).flatMap((name) => /^(wsp_[0-9a-z]+)\.img$/.exec(name)?.[1] ?? []),
  };
}

/** Those that a file system has from the start: ten of its own, lost+found, and our three folders. */
const ownInodes = 14;

/** Unmounts everything at or below a path, the topmost first. Returns how many mounts. */
export async function unmountBelow({ umount }: Pick<ImagePrograms, "umount">, path: string): Promise<number> {
  const found = mountPoints().filter((at) => at === path || at.startsWith(`${path}/`));
  // Lazily: who still has a file open keeps that file, and nobody new finds it.
  if (found.length > 0) await runProgram(umount, ["-n", "-l", "--", ...found.toReversed()]);
  return found.length;
}
