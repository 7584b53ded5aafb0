import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { runProgram } from "../run-program.ts";
import type { WorkspacePlace } from "./host-workspaces.ts";
import type { ImagePrograms } from "./image-file.ts";
import { mountPoints } from "./mount-table.ts";

const loopMajor = 7;

/** Mounts an image file. In a container the device that the kernel offers may have no name yet: it is given one. */
export async function mountImage(programs: ImagePrograms, file: string, at: string): Promise<void> {
  const mount = () =>
    runProgram(programs.mount, ["-n", "-t", "ext4", "-o", "loop,nosuid,nodev,noatime", "--", file, at]);
  try {
    await mount();
  } catch (thrown) {
    const device = (await runProgram(programs.losetup, ["-f"]).catch(() => "")).trim();
    const number = /^\/dev\/loop(\d+)$/.exec(device)?.[1];
    if (number === undefined || existsSync(device)) throw thrown;
    await runProgram(programs.mknod, [device, "b", String(loopMajor), number]);
    await mount();
  }
}

/** Mounts the image of a workspace at a path that may be missing, and makes in it the folders that are. */
export async function mountWorkspace(programs: ImagePrograms, file: string, at: string): Promise<void> {
  await mkdir(at, { recursive: true, mode: 0o700 });
  await mountImage(programs, file, at);
  for (const path of Object.values(placeAt(at))) await mkdir(path, { recursive: true, mode: 0o700 });
}

/** In a workspace's image that is mounted there. */
export function placeAt(at: string): WorkspacePlace {
  return { root: `${at}/files`, staging: `${at}/staging`, trash: `${at}/trash` };
}

/** Unmounts everything at or below a path, the topmost first. Returns how many mounts. */
export async function unmountBelow({ umount }: Pick<ImagePrograms, "umount">, path: string): Promise<number> {
  const found = mountPoints().filter((at) => at === path || at.startsWith(`${path}/`));
  // Lazily: who still has a file open keeps that file, and nobody new finds it.
  if (found.length > 0) await runProgram(umount, ["-n", "-l", "--", ...found.toReversed()]);
  return found.length;
}
