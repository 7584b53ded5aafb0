import { randomBytes } from "node:crypto";
import { constants, existsSync } from "node:fs";
import { chown, type FileHandle, lstat, mkdir, open, realpath, rename, rmdir } from "node:fs/promises";
import { BerthError } from "../../lib/errors.ts";
import { errnoOf, fileError } from "./file-errors.ts";
import { parsePath } from "./workspace-path.ts";

/**
 * An open folder. Names are reached through its handle (`/proc/self/fd/<n>/<name>`, which is what openat does), so a
 * folder that is renamed or replaced by a link while it is in use leads nowhere else.
 *
 * Where there is no /proc (macOS) `path` is a real path, checked by realpath after each step: links are refused, but a
 * rename at the wrong instant is not. Local processes are for one trusting user only; that is the limit there.
 */
export interface Folder {
  /** How the operating system reaches it; names are appended with a slash. */
  readonly path: string;
  readonly handle: FileHandle;
}

export const hasProc = existsSync("/proc/self/fd");

/** Linux's O_PATH, which Node does not name: a place in the tree, opened without the right to read it. */
const O_PATH = 0o10000000;
/** To open a folder, and never a link. */
export const placeFlags =
  constants.O_DIRECTORY | constants.O_NOFOLLOW | (hasProc ? O_PATH : constants.O_RDONLY);

/** Opens a folder by the host's path. The caller closes it. */
export async function openRoot(path: string): Promise<Folder> {
  const handle = await open(path, placeFlags);
  return { path: hasProc ? `/proc/self/fd/${handle.fd}` : path, handle };
}

/** Opens a folder inside another one; throws what the system says, for a link too. The caller closes it. */
export async function enter(parent: Folder, name: string): Promise<Folder> {
  const path = `${parent.path}/${name}`;
  const handle = await open(path, placeFlags);
  if (hasProc) return { path: `/proc/self/fd/${handle.fd}`, handle };
  if ((await realpath(path)) === path) return { path, handle };
  await handle.close();
  throw new BerthError("path_invalid", `"${name}" is not where it seems to be; links are not followed.`);
}

export interface WalkTo {
  /** The workspace's path on the host. */
  readonly root: string;
  /** Names that come before the others and are not shown in errors. */
  readonly base?: readonly string[];
  readonly names: readonly string[];
  /** Makes missing folders on the way; `staging`: a folder of the same file system that only this program uses. */
  readonly create?: { readonly staging: string };
}

/** Makes a folder of a workspace that is missing, and those that it is in. */
export async function makeFolder(
  { root, staging }: { readonly root: string; readonly staging: string },
  path: string,
): Promise<void> {
  await withFolder({ root, names: parsePath(path), create: { staging } }, async () => undefined);
}

/** Walks down from the workspace's top, one name at a time, and gives the open folder to `use`. Errors are typed. */
export async function withFolder<T>(
  { root, base = [], names, create }: WalkTo,
  use: (folder: Folder) => Promise<T>,
): Promise<T> {
  const shown = names.join("/");
  let folder: Folder | null = null;
  try {
    folder = await openRoot(root);
    for (const name of [...base, ...names]) {
      const next: Folder = await step(folder, name, create);
      await folder.handle.close();
      folder = next;
    }
    return await use(folder);
  } catch (thrown) {
    throw fileError(thrown, shown);
  } finally {
    await folder?.handle.close();
  }
}

async function step(folder: Folder, name: string, create: WalkTo["create"]): Promise<Folder> {
  try {
    return await enter(folder, name);
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (errno === "ENOENT" && create !== undefined) {
      await makeIn(folder, name, create.staging);
      return await step(folder, name, undefined);
    }
    if (errno === "ENOTDIR" && (await isLink(`${folder.path}/${name}`))) throw linkError(name);
    throw thrown;
  }
}

/**
 * Makes a folder that is its owner's from the first moment on, or none where something else has come. Where it is another user's than
 * the server's it is made in `staging` and moved: an empty folder that the owner makes in just that moment is replaced by it.
 */
async function makeIn(folder: Folder, name: string, staging: string): Promise<void> {
  const path = `${folder.path}/${name}`;
  const owner = await otherOwnerOf(folder);
  const made = owner === null ? path : `${staging}/${randomBytes(12).toString("hex")}`;
  try {
    await mkdir(made);
    if (owner === null) return;
    await chown(made, owner.uid, owner.gid);
    await rename(made, path);
  } catch (thrown) {
    if (owner !== null) await rmdir(made).catch(() => undefined);
    if (!somethingCame.has(errnoOf(thrown) ?? "")) throw thrown;
  }
}

const somethingCame = new Set(["EEXIST", "ENOTEMPTY", "ENOTDIR"]);

/**
 * Gives what was just made to the user whose the folder is, because a server that is root works in workspaces of other users. `path` is
 * that of a handle, or of a place that only this program uses, so it leads to nothing else.
 */
export async function giveToOwnerOf(folder: Folder, path: string): Promise<void> {
  const owner = await otherOwnerOf(folder);
  if (owner !== null) await chown(path, owner.uid, owner.gid);
}

/** Whose a folder is; null: the server's own, or one of nobody to whom the server could give anything. */
async function otherOwnerOf(folder: Folder): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const { uid, gid } = await folder.handle.stat();
  return uid !== 0 || gid !== 0 ? { uid, gid } : null;
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (stat) => stat.isSymbolicLink(),
    () => false,
  );
}

export function linkError(name: string): BerthError {
  return new BerthError(
    "path_invalid",
    `"${name}" is a link, and links are not followed; use the path that it points to.`,
  );
}
