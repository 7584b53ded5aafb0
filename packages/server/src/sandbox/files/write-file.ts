import { randomBytes } from "node:crypto";
import { lstat, open, rename, unlink } from "node:fs/promises";
import { BerthError } from "../../lib/errors.ts";
import { errnoOf } from "./file-errors.ts";
import { type Folder, giveToOwnerOf, hasProc, linkError } from "./folder.ts";

/**
 * Replaces or makes a file in one step: written and synced in `staging` (same file system, out of the workspace, so that
 * a crash leaves nothing in it), then renamed. Keeps the permissions of a file that was there; a hard link's other names
 * keep the old content.
 */
export async function writeFileIn(
  folder: Folder,
  name: string,
  { data, staging }: { data: Uint8Array; staging: string },
): Promise<void> {
  const target = `${folder.path}/${name}`;
  const mode = await modeOf(target, name);
  const temporary = `${staging}/${randomBytes(12).toString("hex")}`;
  const file = await open(temporary, "wx", 0o600);
  try {
    try {
      await file.writeFile(data);
      // Before the permissions: a change of hands takes some of them away.
      await giveToOwnerOf(folder, hasProc ? `/proc/self/fd/${file.fd}` : temporary);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (thrown) {
    await unlink(temporary).catch(() => undefined);
    throw thrown;
  }
}

async function modeOf(target: string, name: string): Promise<number> {
  try {
    const stat = await lstat(target);
    if (stat.isSymbolicLink()) throw linkError(name);
    if (!stat.isFile()) throw new BerthError("not_a_file", `"${name}" is not a regular file.`);
    return stat.mode & 0o777;
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return 0o644;
    throw thrown;
  }
}
