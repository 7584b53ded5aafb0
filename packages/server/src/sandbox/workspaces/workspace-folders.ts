import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { openRoot } from "../files/folder.ts";
import { removeTree } from "../files/remove-tree.ts";
import { isRunGone, newRunName } from "../run-name.ts";
import type { ImagePrograms } from "./image-file.ts";
import { unmountBelow } from "./mount-image.ts";

/** Where workspaces are kept below the data folder; all on one file system. */
export interface WorkspaceFolders {
  /** A folder or an image for each. */
  readonly workspaces: string;
  /** Empty images, to be copied. */
  readonly templates: string;
  /** Limits of those that are watched. */
  readonly limits: string;
  /** A folder for each server that runs. */
  readonly runs: string;
  readonly own: {
    readonly path: string;
    readonly staging: string;
    readonly trash: string;
    readonly mounts: string;
  };
}

/** Makes the folders that are missing (mode 0700). */
export function makeFolders(dataDir: string): WorkspaceFolders {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const top = realpathSync(dataDir);
  const work = `${top}/sandbox/workspaces`;
  const path = `${work}/runs/${newRunName()}`;
  const own = { path, staging: `${path}/staging`, trash: `${path}/trash`, mounts: `${path}/mounts` };
  const folders = {
    workspaces: `${top}/workspaces`,
    templates: `${work}/templates`,
    limits: `${work}/limits`,
  };
  for (const folder of [...Object.values(folders), ...Object.values(own)])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  return { ...folders, runs: `${work}/runs`, own };
}

/** Unmounts and deletes what servers left that are gone. Returns how many things. */
export async function sweepRuns(
  { runs, own }: WorkspaceFolders,
  programs: ImagePrograms | null,
  onLeft: (thrown: unknown) => void,
): Promise<number> {
  let removed = 0;
  const parent = await openRoot(runs);
  try {
    for (const name of (await readdir(runs)).filter(isRunGone)) {
      if (programs !== null) removed += await unmountBelow(programs, `${runs}/${name}`);
      if (await removeTree({ parent, name, trash: own.trash, onLeft })) removed++;
    }
  } finally {
    await parent.handle.close();
  }
  return removed;
}

/** At the end of this server. What a sandbox still holds is left to the sweep of the next one. */
export async function removeRun({ own }: WorkspaceFolders, programs: ImagePrograms | null): Promise<void> {
  if (programs !== null) await unmountBelow(programs, own.mounts);
  if (!existsSync(own.path)) return;
  await rm(own.path, { recursive: true, force: true }).catch(() => {
    // What cannot be deleted so is deleted by a sweep, which knows how.
  });
}
