import { BerthError } from "../../lib/errors.ts";

const maxPathBytes = 4096;
const maxNameBytes = 255;

/**
 * The names that a workspace path goes through, from the workspace's top; empty for the top itself (`""` or `.`).
 * `.` and doubled slashes fall away. Throws `path_invalid` for everything that could mean another place.
 */
export function parsePath(path: string): readonly string[] {
  if (path.includes("\0")) throw invalid("A path cannot contain a NUL byte.");
  if (!path.isWellFormed()) throw invalid("A path must be valid Unicode.");
  if (Buffer.byteLength(path) > maxPathBytes) throw invalid(`A path can have at most ${maxPathBytes} bytes.`);
  if (path.startsWith("/")) throw invalid("Give a path relative to the workspace, without a leading slash.");
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  for (const name of names) {
    if (name === "..") throw invalid("A path cannot contain `..`; it starts at the workspace.");
    if (Buffer.byteLength(name) > maxNameBytes)
      throw invalid(`A name can have at most ${maxNameBytes} bytes.`);
  }
  return names;
}

/** Like parsePath, for what must have a name: throws `path_invalid` for the workspace itself. */
export function parseNamedPath(path: string): { readonly parents: readonly string[]; readonly name: string } {
  const names = parsePath(path);
  const name = names.at(-1);
  if (name === undefined)
    throw invalid("Name a file or folder inside the workspace, not the workspace itself.");
  return { parents: names.slice(0, -1), name };
}

function invalid(message: string): BerthError {
  return new BerthError("path_invalid", message);
}
