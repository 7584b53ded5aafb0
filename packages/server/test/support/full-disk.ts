import { statfsSync } from "node:fs";

/** What Node, SQLite, programs and our own server say when there is no room for what they write. */
const said =
  /ENOSPC|EDQUOT|no space left on device|disk quota exceeded|disk( of the data folder)? is full|disk_full/i;

/** Whether a text, such as what a program printed at last, tells of a full disk. */
export const tellsOfFullDisk = (text: string): boolean => said.test(text);

/**
 * What to tell and to do when something could not be written because the disk with `folder` is full; null for any other error.
 * `remedy`: the end of the sentence that says what to do.
 */
export function fullDiskSentence(
  error: unknown,
  { folder, remedy }: { readonly folder: string; readonly remedy: string },
): string | null {
  if (!tellsOfFullDisk(storyOf(error))) return null;
  const path = pathOf(error);
  const what = path === null ? `a file below ${folder}` : path;
  return `The disk is full: ${what} could not be written. ${roomOf(folder)} ${remedy}`;
}

function roomOf(folder: string): string {
  try {
    const { bavail, bsize, ffree } = statfsSync(folder);
    const free = `${Math.floor((bavail * bsize) / 1e6)} MB`;
    return `The disk of ${folder} has ${free} and ${ffree} files free.`;
  } catch {
    return `The disk of ${folder} cannot be looked at.`;
  }
}

/** With all that caused it: what a child of a command printed is part of its message. */
function storyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = "" } = error as NodeJS.ErrnoException;
  return `${code} ${error.message} ${error.cause === undefined ? "" : storyOf(error.cause)}`;
}

function pathOf(error: unknown): string | null {
  const { dest, path } = error as { readonly dest?: unknown; readonly path?: unknown };
  if (typeof dest === "string") return dest;
  return typeof path === "string" ? path : null;
}
