import { randomBytes } from "node:crypto";
import { chmod, lstat, mkdir, opendir, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { errnoOf } from "./file-errors.ts";
import { enter, type Folder, openRoot } from "./folder.ts";

export interface Removal {
  readonly parent: Folder;
  readonly name: string;
  /** A folder of the same file system that only this program uses. */
  readonly trash: string;
  /** Told when the thing is out of its parent but could not be deleted; the next start tries again. */
  readonly onLeft: (thrown: unknown) => void;
}

/**
 * Takes a file or folder out of its parent in one step, then deletes it. False when there was none. Works for trees that
 * `fs.rm` cannot delete (thousands of nested folders, folders of mode 000): each nested folder is first moved to the top
 * of the trash, so that no path ever grows. What a crash leaves in the trash `emptyTrash` deletes.
 */
export async function removeTree({ parent, name, trash, onLeft }: Removal): Promise<boolean> {
  const bin = `${trash}/${randomName()}`;
  await mkdir(bin);
  try {
    await unlock(parent, name);
    await rename(`${parent.path}/${name}`, `${bin}/${randomName()}`);
  } catch (thrown) {
    await rmdir(bin);
    if (errnoOf(thrown) === "ENOENT") return false;
    throw thrown;
  }
  await emptyBin(bin).catch(onLeft);
  return true;
}

/** Deletes everything that is in the trash. */
export async function emptyTrash(trash: string): Promise<void> {
  for (const bin of await readdir(trash)) await emptyBin(`${trash}/${bin}`);
}

async function emptyBin(path: string): Promise<void> {
  const bin = await openRoot(path);
  try {
    for (;;) {
      const names = await readdir(bin.path);
      if (names.length === 0) break;
      for (const name of names) await deleteEntry(bin, bin, name);
    }
  } finally {
    await bin.handle.close();
  }
  await rmdir(path);
}

/** Deletes one entry of `folder`. A folder below the bin is only moved up to it; one in the bin is emptied and deleted. */
async function deleteEntry(bin: Folder, folder: Folder, name: string): Promise<void> {
  const path = `${folder.path}/${name}`;
  try {
    return await unlink(path);
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (errno === "ENOENT") return;
    // Linux says EISDIR for a folder, macOS EPERM.
    if (errno !== "EISDIR" && errno !== "EPERM") throw thrown;
  }
  await unlock(folder, name);
  if (folder !== bin) return await rename(path, `${bin.path}/${randomName()}`);
  const inner = await enter(bin, name);
  try {
    for await (const child of await opendir(inner.path, { bufferSize: 256 }))
      await deleteEntry(bin, inner, child.name);
  } finally {
    await inner.handle.close();
  }
  await rmdir(path).catch((thrown: unknown) => {
    // Something was added meanwhile; the bin's next round deletes it.
    if (errnoOf(thrown) !== "ENOTEMPTY") throw thrown;
  });
}

/** Makes a folder readable and movable for its owner; does nothing to anything else, and never follows a link. */
async function unlock(folder: Folder, name: string): Promise<void> {
  if (!(await lstat(`${folder.path}/${name}`)).isDirectory()) return;
  const place = await enter(folder, name);
  try {
    await chmod(place.path, 0o700);
  } finally {
    await place.handle.close();
  }
}

function randomName(): string {
  return randomBytes(12).toString("hex");
}
