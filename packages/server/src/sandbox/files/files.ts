import { lstat, rename } from "node:fs/promises";
import type { FileEntry } from "@berth/contract";
import { BerthError } from "../../lib/errors.ts";
import type { FileStat, SandboxFiles } from "../sandbox.ts";
import { errnoOf, fileError } from "./file-errors.ts";
import { type WalkTo, withFolder } from "./folder.ts";
import { kindOf } from "./kind-of.ts";
import { checkTarget, makeLinkIn } from "./make-link.ts";
import { readFileIn, setExecutableIn, tooLarge } from "./read-file.ts";
import { removeTree } from "./remove-tree.ts";
import type { Search } from "./search.ts";
import { treeOf } from "./tree.ts";
import { walkTree } from "./walk-tree.ts";
import { parseNamedPath, parsePath } from "./workspace-path.ts";
import { writeFileIn } from "./write-file.ts";

/** Bytes that one read or write takes at most. */
const maxFileBytes = 32 * 1024 * 1024;
const defaultEntries = 1_000;
const maxEntries = 100_000;

/** Where the files of a workspace are while they are used. */
export interface FilesPlace {
  /** The workspace's path on the host. */
  readonly root: string;
  /** Folders of the same file system that only this program uses. */
  readonly staging: string;
  readonly trash: string;
  /** Rejects when there is no room for so many bytes more. */
  readonly admit?: (bytes: number) => Promise<void>;
}

export interface FilesOf {
  /** Makes the files reachable for one call. */
  readonly use: <T>(call: (place: FilesPlace) => Promise<T>) => Promise<T>;
  /** The folder of the workspace, as names from its top, that paths are relative to. */
  readonly base?: readonly string[];
  readonly search: Search;
  /** Told when something was removed and could not be deleted. */
  readonly onLeft: (thrown: unknown) => void;
}

/** The files of one workspace. Every path is walked from the workspace's top through open handles (see folder.ts). */
export function createFiles({ use, base = [], search, onLeft }: FilesOf): SandboxFiles {
  return {
    stat: (path) => use(({ root }) => statOf({ root, base }, path)),
    list: (path, options = {}) => use(({ root }) => list({ root, base }, path, options)),
    tree: (path, { limit = maxEntries } = {}) =>
      use(({ root }) =>
        withFolder({ root, base, names: parsePath(path) }, (folder) =>
          treeOf(folder, {
            path: parsePath(path).join("/"),
            limit: Math.min(Math.max(1, limit), maxEntries),
          }),
        ),
      ),
    async read(path, range = {}) {
      const { parents, name } = parseNamedPath(path);
      return await use(({ root }) =>
        within({ root, base, names: parents }, path, (folder) =>
          readFileIn(folder, name, { range, maxBytes: maxFileBytes }),
        ),
      );
    },
    async write(path, data) {
      const { parents, name } = parseNamedPath(path);
      if (data.byteLength > maxFileBytes) throw tooLarge(name, data.byteLength, maxFileBytes);
      await use(async ({ root, staging, admit }) => {
        await admit?.(data.byteLength);
        await within({ root, base, names: parents, create: { staging } }, path, (folder) =>
          writeFileIn(folder, name, { data, staging }),
        );
      });
    },
    async makeFolder(path) {
      const names = parsePath(path);
      await use(async ({ root, staging, admit }) => {
        await admit?.(0);
        await withFolder({ root, base, names, create: { staging } }, async () => undefined);
      });
    },
    async makeLink(path, target) {
      const { parents, name } = parseNamedPath(path);
      checkTarget(target);
      await use(async ({ root, staging, admit }) => {
        await admit?.(0);
        await within({ root, base, names: parents, create: { staging } }, path, (folder) =>
          makeLinkIn(folder, name, { target, staging }),
        );
      });
    },
    async setExecutable(path, executable) {
      const { parents, name } = parseNamedPath(path);
      await use(({ root }) =>
        within({ root, base, names: parents }, path, (folder) => setExecutableIn(folder, name, executable)),
      );
    },
    move: (path, to) => use(({ root, staging }) => move({ root, base, create: { staging } }, path, to)),
    async remove(path) {
      const { parents, name } = parseNamedPath(path);
      try {
        return await use(({ root, trash }) =>
          within({ root, base, names: parents }, path, (parent) =>
            removeTree({ parent, name, trash, onLeft }),
          ),
        );
      } catch (thrown) {
        if (isMissing(thrown)) return false;
        throw thrown;
      }
    },
    async glob(pattern, { path, limit = defaultEntries } = {}) {
      const names = parsePath(path ?? "");
      return await use(({ root }) => search.glob({ root, base, path: names, pattern, limit }));
    },
    async grep(pattern, { path, limit = defaultEntries, ...rest } = {}) {
      const names = parsePath(path ?? "");
      return await use(({ root }) => search.grep({ ...rest, root, base, path: names, pattern, limit }));
    },
  };
}

/** As withFolder, with errors that name the whole path that the caller gave. */
async function within<T>(
  walk: Parameters<typeof withFolder>[0],
  path: string,
  use: Parameters<typeof withFolder<T>>[1],
): Promise<T> {
  return await withFolder(walk, async (folder) => {
    try {
      return await use(folder);
    } catch (thrown) {
      throw fileError(thrown, path);
    }
  });
}

type Place = Pick<WalkTo, "root" | "base">;

async function statOf(place: Place, path: string): Promise<FileStat | null> {
  const names = parsePath(path);
  const name = names.at(-1);
  try {
    return await withFolder({ ...place, names: names.slice(0, -1) }, async (folder) => {
      const stat = name === undefined ? await folder.handle.stat() : await lstat(`${folder.path}/${name}`);
      return { kind: kindOf(stat), size: stat.size, modifiedMs: stat.mtimeMs };
    });
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    throw thrown;
  }
}

async function list(
  place: Place,
  path: string,
  { depth = 1, limit = defaultEntries }: { depth?: number; limit?: number },
) {
  const names = parsePath(path);
  const most = Math.min(Math.max(1, limit), maxEntries);
  return await withFolder({ ...place, names }, async (folder) => {
    const items: FileEntry[] = [];
    let truncated = false;
    const onCut = () => {
      truncated = true;
    };
    for await (const found of walkTree({ folder, path: names.join("/"), depth, onCut })) {
      const stat = await lstat(`${found.parent.path}/${found.name}`).catch(() => null);
      if (stat === null) continue;
      if (items.length === most) {
        truncated = true;
        break;
      }
      items.push({
        path: found.path,
        kind: kindOf(stat),
        size: stat.size,
        modifiedAt: new Date(stat.mtimeMs).toISOString(),
      });
    }
    return { items, truncated };
  });
}

async function move(
  { create, ...place }: Place & Pick<WalkTo, "create">,
  path: string,
  to: string,
): Promise<void> {
  const from = parseNamedPath(path);
  const target = parseNamedPath(to);
  await within({ ...place, names: from.parents }, path, async (source) => {
    await lstat(`${source.path}/${from.name}`);
    await within({ ...place, names: target.parents, ...(create && { create }) }, to, (destination) =>
      rename(`${source.path}/${from.name}`, `${destination.path}/${target.name}`),
    );
  });
}

function isMissing(thrown: unknown): boolean {
  if (errnoOf(thrown) === "ENOENT") return true;
  return (
    thrown instanceof BerthError && (thrown.code === "file_not_found" || thrown.code === "not_a_directory")
  );
}
