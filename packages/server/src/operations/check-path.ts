import { BerthError } from "../lib/errors.ts";

const maxPathBytes = 4_096;

/** Throws `path_invalid`. The sandbox has the last word; this keeps what can never be a path of a workspace out of the log. */
export function checkPath(path: string): void {
  const names = path.split("/");
  const fits = Buffer.byteLength(path) <= maxPathBytes && !path.includes("\0") && path.isWellFormed();
  const inside =
    !path.startsWith("/") && !names.includes("..") && names.some((name) => name !== "" && name !== ".");
  if (fits && inside) return;
  throw new BerthError(
    "path_invalid",
    "The path must name something inside the workspace: relative to it, without `..`, at most 4096 bytes.",
  );
}
