import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { BerthError } from "../../lib/errors.ts";

/** Makes the data folder if it is missing, readable by its owner alone. Throws `data_dir_unusable`. */
export function makeDataFolder(dataDir: string): void {
  try {
    makeFolder(dataDir, true);
    accessSync(dataDir, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw unusableFolder(dataDir, cause);
  }
}

export function unusableFolder(dataDir: string, cause: unknown): BerthError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const readOnly = cause instanceof Error && "code" in cause && cause.code === "EROFS";
  const advice = readOnly
    ? "mount its file system for writing (check it first, if an error made it read-only)"
    : "change its owner";
  return new BerthError(
    "data_dir_unusable",
    `The data folder ${dataDir} cannot be written to (${why}): ${advice}, or choose another folder.`,
    { cause },
  );
}

/** One folder at a time: mkdir's own `recursive` never ends below /proc, where a parent is there and still takes no folder. */
function makeFolder(path: string, withParents: boolean): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (thrown) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) return;
    if (found !== undefined) throw new Error("it is no folder", { cause: thrown });
    const missing = thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT";
    if (!missing || !withParents || dirname(path) === path) throw thrown;
    makeFolder(dirname(path), true);
    makeFolder(path, false);
  }
}
