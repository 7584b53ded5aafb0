import { BerthError } from "../lib/errors.ts";

/** What callers and operators are told while the data folder can be read and not written. */
export function readOnlyFolder(cause: unknown): BerthError {
  const message =
    "The file system of the data folder is read-only, so that nothing can be changed: mount it for writing again. " +
    "If an error of the disk made it so, stop Berth, check the file system, mount it, and start Berth.";
  return new BerthError("store_unavailable", message, { retryable: true, cause });
}
