import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { BerthError } from "../../lib/errors.ts";
import { errnoOf } from "./file-errors.ts";
import { type Folder, linkError } from "./folder.ts";

export interface FileRange {
  /** Bytes from the start; default 0. */
  readonly offset?: number;
  /** Bytes at most; default: to the end. */
  readonly length?: number;
}

/** Reads a regular file of an open folder. Never waits for a FIFO or a device, never follows a link. */
export async function readFileIn(
  folder: Folder,
  name: string,
  { range, maxBytes }: { range: FileRange; maxBytes: number },
): Promise<Uint8Array> {
  const file = await openForReading(folder, name);
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) throw new BerthError("not_a_file", `"${name}" is a folder, not a file.`);
    if (!stat.isFile()) throw new BerthError("not_a_file", `"${name}" is not a regular file.`);
    const offset = Math.max(0, range.offset ?? 0);
    const wanted = Math.max(0, Math.min(range.length ?? Number.POSITIVE_INFINITY, stat.size - offset));
    if (wanted > maxBytes) throw tooLarge(name, stat.size, maxBytes);
    return await readFully(file, offset, wanted);
  } finally {
    await file.close();
  }
}

/** Whether whoever may read a regular file may run it too. Never follows a link. */
export async function setExecutableIn(folder: Folder, name: string, executable: boolean): Promise<void> {
  const file = await openForReading(folder, name);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new BerthError("not_a_file", `"${name}" is not a regular file.`);
    const mode = stat.mode & 0o777;
    await file.chmod(executable ? mode | ((mode & 0o444) >> 2) : mode & ~0o111);
  } finally {
    await file.close();
  }
}

async function openForReading(folder: Folder, name: string): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
  try {
    return await open(`${folder.path}/${name}`, flags);
  } catch (thrown) {
    if (errnoOf(thrown) === "ELOOP") throw linkError(name);
    throw thrown;
  }
}

async function readFully(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled === length ? bytes : bytes.slice(0, filled);
}

export function tooLarge(name: string, size: number, maxBytes: number): BerthError {
  return new BerthError(
    "file_too_large",
    `"${name}" has ${size} bytes and at most ${maxBytes} can be taken at once; use a part of it.`,
    { details: { size, maxBytes } },
  );
}
