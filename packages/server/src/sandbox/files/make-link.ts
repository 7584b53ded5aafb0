import { randomBytes } from "node:crypto";
import { lchown, lstat, rename, symlink, unlink } from "node:fs/promises";
import { BerthError } from "../../lib/errors.ts";
import { errnoOf } from "./file-errors.ts";
import type { Folder } from "./folder.ts";

const maxTargetBytes = 4_095;

/** Throws `path_invalid` for what no link can say. */
export function checkTarget(target: string): void {
  const bytes = Buffer.byteLength(target);
  if (bytes > 0 && bytes <= maxTargetBytes && !target.includes("\0") && target.isWellFormed()) return;
  throw new BerthError(
    "path_invalid",
    `A link can say from 1 to ${maxTargetBytes} bytes of text, and no NUL byte.`,
  );
}

/**
 * Makes a link in one step: in `staging` (same file system, only this program's) and renamed, which replaces a file or a link and never goes
 * through one.
 */
export async function makeLinkIn(
  folder: Folder,
  name: string,
  { target, staging }: { readonly target: string; readonly staging: string },
): Promise<void> {
  const place = `${folder.path}/${name}`;
  const there = await lstat(place).catch((thrown: unknown) => {
    if (errnoOf(thrown) === "ENOENT") return null;
    throw thrown;
  });
  if (there?.isDirectory() === true)
    throw new BerthError("file_exists", `"${name}" is a folder; remove it first.`);
  const temporary = `${staging}/${randomBytes(12).toString("hex")}`;
  await symlink(target, temporary);
  try {
    if (process.getuid?.() === 0) {
      const { uid, gid } = await folder.handle.stat();
      await lchown(temporary, uid, gid);
    }
    await rename(temporary, place);
  } catch (thrown) {
    await unlink(temporary).catch(() => undefined);
    throw thrown;
  }
}
