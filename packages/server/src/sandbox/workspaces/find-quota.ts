import { mkdir, readdir, realpath, rm } from "node:fs/promises";
import { isRunGone, newRunName } from "../run-name.ts";
import { findProgram } from "../run-program.ts";
import { type ImagePrograms, makeImage } from "./image-file.ts";
import { mountImage, unmountBelow } from "./mount-image.ts";

const names = {
  mkfs: "mkfs.ext4",
  e2fsck: "e2fsck",
  resize: "resize2fs",
  mount: "mount",
  umount: "umount",
  losetup: "losetup",
  mknod: "mknod",
  cp: "cp",
} as const satisfies Record<keyof ImagePrograms, string>;

export type FoundQuota =
  | { readonly kind: "image"; readonly programs: ImagePrograms; readonly reason: null }
  /** Why it is not an image, and what to do about it. */
  | { readonly kind: "watched"; readonly reason: string };

/** Where an image is tried: the rest of its name says who tries. */
const trial = ".quota-";

/**
 * The most exact quota that workspaces below a data folder can have on this machine, found by mounting a small image. What was left
 * mounted by those that were killed while they tried is removed.
 */
export async function findQuota(dataDir: string): Promise<FoundQuota> {
  if (process.getuid?.() !== 0) return watched("the server is not root, and only root may mount images");
  const programs = findPrograms();
  if (typeof programs === "string")
    return watched(`${programs} is not installed (apt-get install e2fsprogs mount)`);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // As the table of mounts has it.
  const top = await realpath(dataDir);
  const folder = `${top}/${trial}${newRunName()}`;
  try {
    for (const name of await readdir(top)) {
      if (name.startsWith(trial) && isRunGone(name.slice(trial.length)))
        await removeTrial(programs, `${top}/${name}`);
    }
    await mkdir(folder, { mode: 0o700 });
    const file = `${folder}/image`;
    const limits = { diskBytes: 1024 * 1024, inodes: 16 };
    await makeImage(programs, { file, draft: `${folder}/draft`, templates: folder, limits });
    await mkdir(`${folder}/at`);
    await mountImage(programs, file, `${folder}/at`);
    return { kind: "image", programs, reason: null };
  } catch (thrown) {
    return watched(
      `an image cannot be mounted here: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
  } finally {
    await removeTrial(programs, folder);
  }
}

async function removeTrial(programs: ImagePrograms, folder: string): Promise<void> {
  await unmountBelow(programs, folder);
  await rm(folder, { recursive: true, force: true });
}

function watched(why: string): FoundQuota {
  return {
    kind: "watched",
    reason: `The size of workspaces is only measured from time to time, because ${why}.`,
  };
}

/** All of them, or the name of one that is missing. */
function findPrograms(): ImagePrograms | string {
  const found: Record<string, string> = {};
  for (const [key, name] of Object.entries(names)) {
    const path = findProgram(name);
    if (path === null) return name;
    found[key] = path;
  }
  return found as unknown as ImagePrograms;
}
