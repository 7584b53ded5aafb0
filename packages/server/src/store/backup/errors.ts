import { BerthError } from "../../lib/errors.ts";

/** The bytes are not what was written: cut off, moved about, changed, or made by somebody else. */
export function damaged(why: string): BerthError {
  return new BerthError(
    "backup_damaged",
    `The backup is damaged or was changed: ${why}. Nothing of it was restored; take another one.`,
  );
}

/** Not a file that a backup could be read from. */
export function notABackup(why: string): BerthError {
  return new BerthError("backup_unreadable", `This is no backup of Berth: ${why}.`);
}
