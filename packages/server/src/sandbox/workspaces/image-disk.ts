import { existsSync } from "node:fs";
import { readdir, rename, rm, rmdir, statfs } from "node:fs/promises";
import { growImage, type ImagePrograms, isSmaller, makeImage, repairImage } from "./image-file.ts";
import type { WorkspaceDisk } from "./host-workspaces.ts";
import { mountWorkspace, placeAt, unmountBelow } from "./mount-image.ts";
import { mountPoints } from "./mount-table.ts";
import type { SpareImages } from "./spare-images.ts";

export interface ImageDiskOptions {
  readonly folders: {
    readonly workspaces: string;
    readonly templates: string;
    readonly own: { readonly mounts: string; readonly staging: string };
  };
  readonly programs: ImagePrograms;
  readonly spares: Pick<SpareImages, "take" | "order">;
}

/** Each workspace is an ext4 file system in a file of its own, mounted only while it is used. Needs root. */
export function createImageDisk({ folders, programs, spares }: ImageDiskOptions): WorkspaceDisk {
  const { workspaces, templates, own } = folders;
  const fileOf = (id: string) => `${workspaces}/${id}.img`;
  /** Where those are mounted that were spare ones. */
  const former = new Map<string, string>();
  const mountOf = (id: string) => former.get(id) ?? `${own.mounts}/${id}`;
  return {
    has: (id) => existsSync(fileOf(id)),
    async create(id, limits) {
      if (existsSync(fileOf(id))) return await growImage(programs, fileOf(id), limits);
      const spare = spares.take(limits);
      if (spare === null) {
        await makeImage(programs, { file: fileOf(id), draft: `${own.staging}/${id}`, templates, limits });
      } else {
        await rename(spare.file, fileOf(id));
        former.set(id, spare.at);
      }
      spares.order(limits);
    },
    lacks: (id, limits) => isSmaller(fileOf(id), limits),
    async open(id) {
      const at = mountOf(id);
      if (!mountPoints().includes(at)) {
        await repairImage(programs, fileOf(id));
        await mountWorkspace(programs, fileOf(id), at);
      }
      return placeAt(at);
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
      former.delete(id);
    },
    remove: (id) => rm(fileOf(id), { force: true }),
    list: async () =>
      (await readdir(workspaces)).flatMap((name) => /^(wsp_[0-9a-z]+)\.img$/.exec(name)?.[1] ?? []),
  };
}

/** Those that a file system has from the start: ten of its own, lost+found, and our three folders. */
const ownInodes = 14;
