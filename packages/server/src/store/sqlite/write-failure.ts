import { closeSync, openSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { BerthError } from "../../lib/errors.ts";
import { readOnlyFolder } from "../read-only-folder.ts";
import { asStoreError } from "./sqlite-error.ts";

/**
 * A driver's error as what people are told. SQLite says "disk I/O error" of whatever keeps it from writing; what that is shows in
 * making a file beside the database. (A file of the database itself must not be opened for that: closing it
 * would give up the locks that SQLite holds on it.) `path` is null for a database in memory.
 */
export function writeFailure(thrown: unknown, path: string | null): BerthError {
  const error = asStoreError(thrown);
  if (error.code !== "store_unavailable" || path === null) return error;
  const probe = join(dirname(path), "berth.probe.tmp");
  try {
    closeSync(openSync(probe, "w", 0o600));
    unlinkSync(probe);
    return error;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : null;
    if (code === "EROFS") return readOnlyFolder(cause);
    const message = `The data folder cannot be written just now (${String(code)}): look at its disk and at who owns it.`;
    return new BerthError(error.code, message, { retryable: error.retryable, cause });
  }
}
