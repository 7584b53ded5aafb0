import { existsSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../lib/errors.ts";

/** Where a backup lies while it is restored. */
export function unfinishedRestore(dataDir: string): string {
  return join(dataDir, "restoring");
}

/** A server must not begin anew in a folder whose restore was killed. Throws `restore_unfinished`. */
export function refuseUnfinishedRestore(dataDir: string): void {
  if (!existsSync(unfinishedRestore(dataDir))) return;
  throw new BerthError(
    "restore_unfinished",
    `A restore into ${dataDir} was broken off: empty the folder (keep server.keys) and restore again.`,
  );
}
