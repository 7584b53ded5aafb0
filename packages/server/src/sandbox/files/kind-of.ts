import type { Stats } from "node:fs";
import type { FileEntry } from "@berth/contract";

export function kindOf(stat: Stats): FileEntry["kind"] {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  return stat.isSymbolicLink() ? "link" : "other";
}
