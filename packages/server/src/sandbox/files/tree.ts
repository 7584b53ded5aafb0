import type { Dirent } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import type { TreeItem } from "../sandbox.ts";
import type { Folder } from "./folder.ts";
import { errnoOf } from "./file-errors.ts";
import { kindOf } from "./kind-of.ts";
import { walkTree } from "./walk-tree.ts";

/** Of all paths and of what links say, which is 4 KB each at most: a tree is told as a whole, so it is in memory as a whole. */
const mostCharacters = 16 * 1024 * 1024;

/** Everything below an open folder, whose path is `path`. */
export async function treeOf(
  folder: Folder,
  { path, limit }: { readonly path: string; readonly limit: number },
): Promise<{ items: TreeItem[]; truncated: boolean }> {
  const items: TreeItem[] = [];
  let truncated = false;
  let characters = 0;
  const onCut = () => {
    truncated = true;
  };
  for await (const found of walkTree({ folder, path, depth: Infinity, onCut, onUnnamed: onCut })) {
    if (items.length === limit) return { items, truncated: true };
    const item = await itemOf(found.parent, found).catch((thrown: unknown) => {
      if (errnoOf(thrown) !== "ENOENT") onCut();
      return null;
    });
    if (item === null) continue;
    characters += item.path.length + (item.target?.length ?? 0);
    if (characters > mostCharacters) return { items, truncated: true };
    items.push(item);
  }
  return { items, truncated };
}

async function itemOf(
  parent: Folder,
  { path, name }: { readonly path: string; readonly name: string; readonly entry: Dirent },
): Promise<TreeItem> {
  const place = `${parent.path}/${name}`;
  const stat = await lstat(place);
  const kind = kindOf(stat);
  const target = kind === "link" ? await targetOf(place) : null;
  return {
    path,
    kind: kind === "link" && target === null ? "other" : kind,
    size: kind === "file" ? stat.size : 0,
    modifiedMs: stat.mtimeMs,
    executable: kind === "file" && (stat.mode & 0o100) !== 0,
    target,
  };
}

async function targetOf(place: string): Promise<string | null> {
  const bytes = await readlink(place, { encoding: "buffer" }).catch(() => null);
  if (bytes === null) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
