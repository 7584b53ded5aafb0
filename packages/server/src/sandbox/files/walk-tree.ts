import type { Dirent } from "node:fs";
import { opendir } from "node:fs/promises";
import { textOfName } from "./bytes-of-path.ts";
import { errnoOf } from "./file-errors.ts";
import { enter, type Folder } from "./folder.ts";

/** Folders deeper than this are not entered: each level holds one open handle. */
const deepest = 128;
/** Entries of one folder that are looked at. */
const widest = 100_000;

export interface TreeEntry {
  /** Relative to the workspace. */
  readonly path: string;
  readonly name: string;
  readonly entry: Dirent;
  /** The open folder that holds it; valid until the next entry is asked for. */
  readonly parent: Folder;
}

export interface TreeWalk {
  readonly folder: Folder;
  /** Path of `folder` relative to the workspace. */
  readonly path: string;
  /** 1 is the folder's own entries. */
  readonly depth: number;
  /** Folders for which this is false are listed and not entered. */
  readonly into?: (name: string) => boolean;
  /** Called when something was left out because the tree is too deep or too wide. */
  readonly onCut: () => void;
  /** Called when something was left out because its name is not text. */
  readonly onUnnamed?: () => void;
}

/**
 * Every entry below a folder, each folder before its content, names in order. Links are listed and never followed. What
 * vanishes or cannot be read on the way is left out.
 */
export async function* walkTree(walk: TreeWalk): AsyncGenerator<TreeEntry> {
  for (const entry of await entriesOf(walk)) {
    const path = walk.path === "" ? entry.name : `${walk.path}/${entry.name}`;
    yield { path, name: entry.name, entry, parent: walk.folder };
    if (!entry.isDirectory() || walk.depth <= 1 || walk.into?.(entry.name) === false) continue;
    if (path.split("/").length >= deepest) {
      walk.onCut();
      continue;
    }
    const folder = await enter(walk.folder, entry.name).catch((thrown: unknown) => {
      if (!vanished.has(errnoOf(thrown) ?? "")) walk.onCut();
      return null;
    });
    if (folder === null) continue;
    try {
      yield* walkTree({ ...walk, folder, path, depth: walk.depth - 1 });
    } finally {
      await folder.handle.close();
    }
  }
}

const vanished = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

async function entriesOf({ folder, onCut, onUnnamed }: TreeWalk): Promise<Dirent[]> {
  const entries: Dirent[] = [];
  try {
    for await (const entry of await opendir(folder.path, { bufferSize: 256, encoding: "latin1" })) {
      if (entries.length === widest) {
        onCut();
        break;
      }
      const name = textOfName(entry.name);
      if (name === null) {
        onUnnamed?.();
        continue;
      }
      entry.name = name;
      entries.push(entry);
    }
  } catch {
    onCut();
  }
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
