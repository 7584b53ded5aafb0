import { BerthError } from "../../lib/errors.ts";
import { createFiles } from "../files/files.ts";
import { makeFolder } from "../files/folder.ts";
import type { Search } from "../files/search.ts";
import { parsePath } from "../files/workspace-path.ts";
import type { SandboxFiles } from "../sandbox.ts";
import type { WorkspaceDisk, WorkspacePlace } from "./host-workspaces.ts";
import type { Measurer } from "./measure.ts";
import type { OpenDisks } from "./open-disks.ts";
import type { WatchedQuota } from "./watched-quota.ts";

export interface WorkspaceParts {
  /** Where plain folders are, which have no file system of their own to limit them. */
  readonly plain: WorkspaceDisk;
  readonly opened: OpenDisks;
  /** Null: there is no quota. */
  readonly quota: WatchedQuota | null;
  readonly measurer: Measurer;
  readonly search: Search;
  readonly onLeft: (thrown: unknown) => void;
  readonly warn: (details: Readonly<Record<string, unknown>>, message: string) => void;
}

export interface Used {
  readonly disk: WorkspaceDisk;
  readonly place: WorkspacePlace;
}

/** Makes a workspace reachable for one call. Rejects with `workspace_not_found`. */
export async function using<T>(
  { opened }: Pick<WorkspaceParts, "opened">,
  id: string,
  call: (used: Used) => Promise<T>,
): Promise<T> {
  const used = await opened.acquire(id);
  try {
    return await call(used);
  } finally {
    opened.release(id);
  }
}

/** The files of a workspace that is there, from a folder of it on, which is made when it is missing. */
export async function openFiles(parts: WorkspaceParts, id: string, folder: string): Promise<SandboxFiles> {
  const { plain, quota, search, onLeft } = parts;
  await using(parts, id, ({ place }) => makeFolder(place, folder));
  return createFiles({
    use: (call) =>
      using(parts, id, async ({ disk, place }) => {
        if (disk !== plain) return await call(place).catch(asFull);
        const admit = quota && ((bytes: number) => quota.admit(id, place.root, bytes));
        return await call({ ...place, ...(admit && { admit }) });
      }),
    base: parsePath(folder),
    search,
    onLeft,
  });
}

/** A file system that is the workspace's own is full when the workspace is. */
function asFull(thrown: unknown): never {
  if (!(thrown instanceof BerthError) || thrown.code !== "disk_full") throw thrown;
  throw new BerthError("workspace_full", "The workspace is full; remove some files first.", {
    cause: thrown,
  });
}

/** What a workspace takes, that is open. */
export async function usageOf(
  { quota, measurer }: Pick<WorkspaceParts, "quota" | "measurer">,
  { id, disk, root }: { id: string; disk: WorkspaceDisk; root: string },
): Promise<{ bytes: number; files: number }> {
  const exact = await disk.usage(id);
  if (exact !== null) return exact;
  if (quota !== null) return await quota.usage(id, root);
  const { bytes, files } = await measurer.measure({ root, maxBytes: Infinity, maxFiles: Infinity });
  return { bytes, files };
}
