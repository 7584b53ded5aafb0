import { randomBytes } from "node:crypto";
import { constants, type Dir } from "node:fs";
import { access, chmod, lstat, mkdir, opendir, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { textOfName } from "./bytes-of-path.ts";
import { deleteLarge } from "./delete-large.ts";
import { errnoOf } from "./file-errors.ts";
import { enter, type Folder, hasProc, openRoot } from "./folder.ts";

/** Folders that are deleted without a thread of their own, which takes some 50 ms to start. */
const mostHere = 64;

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
 * of the trash, so that no path ever grows. What a crash leaves in the trash is deleted with it by a sweep.
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

async function emptyBin(path: string): Promise<void> {
  const bin = await openRoot(path);
  try {
    if (!(await emptyHere(bin))) await deleteLarge(path);
  } finally {
    await bin.handle.close();
  }
  await rmdir(path);
}

/** False when there is more than is to be deleted here. */
async function emptyHere(bin: Folder): Promise<boolean> {
  let folders = 0;
  for (;;) {
    const entries = await readdir(bin.path, { withFileTypes: true });
    if (entries.length === 0) return true;
    for (const entry of entries) {
      if (!entry.isDirectory()) await deleteFile(`${bin.path}/${entry.name}`);
      else if (hasProc && ++folders > mostHere) return false;
      else if (!(await deleteFolder(bin, entry.name))) return false;
    }
  }
}

/**
 * Deletes a folder that lies in the bin. The folders in it are only moved up to the bin, whose next round deletes them. False when there is
 * something in it that no text names.
 */
async function deleteFolder(bin: Folder, name: string): Promise<boolean> {
  const folder = await enter(bin, name);
  try {
    for await (const child of await openLocked(bin, name, folder)) {
      const text = textOfName(child.name);
      if (text === null) return false;
      if (child.isDirectory()) await moveUp(bin, folder, text);
      else await deleteFile(`${folder.path}/${text}`);
    }
  } finally {
    await folder.handle.close();
  }
  await rmdir(`${bin.path}/${name}`).catch((thrown: unknown) => {
    // Something was added meanwhile; the bin's next round deletes it.
    if (errnoOf(thrown) !== "ENOTEMPTY") throw thrown;
  });
  return true;
}

/** Names are as `textOfName` takes them. */
async function openLocked(bin: Folder, name: string, folder: Folder): Promise<Dir> {
  try {
    await access(folder.path, constants.W_OK | constants.X_OK);
  } catch {
    await unlock(bin, name);
  }
  return await opendir(folder.path, { bufferSize: 256, encoding: "latin1" });
}

async function moveUp(bin: Folder, folder: Folder, name: string): Promise<void> {
  const move = () => rename(`${folder.path}/${name}`, `${bin.path}/${randomName()}`);
  try {
    await move();
  } catch (thrown) {
    // A folder that may not be written cannot be moved either: its `..` changes.
    if (errnoOf(thrown) !== "EACCES") throw thrown;
    await unlock(folder, name);
    await move();
  }
}

async function deleteFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (thrown) {
    // It is gone, or became a folder meanwhile: the bin's next round deletes that.
    if (errnoOf(thrown) !== "ENOENT" && errnoOf(thrown) !== "EISDIR") throw thrown;
  }
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
