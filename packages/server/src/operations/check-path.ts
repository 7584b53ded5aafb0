import { BerthError } from "../lib/errors.ts";

const maxPathBytes = 4_096;
/** No list, archive or copy of a workspace has what is deeper. */
const maxNames = 128;

/** Throws `path_invalid`. The sandbox has the last word; this keeps what can never be a path of a workspace out of the log. */
export function checkPath(path: string): void {
  const names = path.split("/");
  const fits = Buffer.byteLength(path) <= maxPathBytes && !path.includes("\0") && path.isWellFormed();
  const isDeep = names.filter((name) => name !== "" && name !== ".").length > maxNames;
  const inside =
    !path.startsWith("/") && !names.includes("..") && names.some((name) => name !== "" && name !== ".");
  if (fits && inside && !isDeep) return;
  throw new BerthError(
    "path_invalid",
    "The path must name something inside the workspace: relative to it, without `..`, at most 4096 bytes, and in fewer than 128 folders.",
  );
}
