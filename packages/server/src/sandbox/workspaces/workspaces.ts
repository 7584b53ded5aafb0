import { lstatSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { BerthError } from "../../lib/errors.ts";
import { createFiles } from "../files/files.ts";
import { makeFolder, openRoot } from "../files/folder.ts";
import { removeTree } from "../files/remove-tree.ts";
import type { Search } from "../files/search.ts";
import { parsePath } from "../files/workspace-path.ts";
import type { SandboxFiles, Workspaces } from "../sandbox.ts";
import { checkWorkspaceId } from "../sandbox-id.ts";
import { measure } from "./measure.ts";

export interface WorkspacesOptions {
  /** Each workspace is a folder in it. */
  readonly folder: string;
  /** Folders of the same file system that only this program uses. */
  readonly staging: string;
  readonly trash: string;
  readonly search: Search;
  readonly warn: (details: Readonly<Record<string, unknown>>, message: string) => void;
}

/** The workspaces of this machine. */
export interface HostWorkspaces extends Workspaces {
  /** Path of the folder that a sandbox has as its workspace. Rejects with `workspace_not_found`. */
  prepare(id: string): Promise<string>;
}

/** Keeps each workspace as a plain folder, without a quota. */
export function createWorkspaces({
  folder,
  staging,
  trash,
  search,
  warn,
}: WorkspacesOptions): HostWorkspaces {
  const pathOf = (id: string) => {
    checkWorkspaceId(id);
    return `${folder}/${id}`;
  };
  const filesOf = (id: string, base: readonly string[]): SandboxFiles =>
    createFiles({
      root: () => pathOf(id),
      base,
      staging,
      trash,
      search,
      onLeft: (error) =>
        warn({ workspace: id, error }, "a deleted folder could not be emptied; the next start tries again"),
    });

  return {
    async create({ id }) {
      await mkdir(pathOf(id), { recursive: true, mode: 0o700 });
    },
    async open({ id }, { folder: inside = "" } = {}) {
      if (!isFolder(pathOf(id))) return null;
      await makeFolder(pathOf(id), inside);
      return filesOf(id, parsePath(inside));
    },
    usage: async ({ id }) => (isFolder(pathOf(id)) ? await measure(pathOf(id)) : null),
    async remove({ id }, { folder: inside = "" } = {}) {
      if (!isFolder(pathOf(id))) return false;
      if (parsePath(inside).length > 0) return await filesOf(id, []).remove(inside);
      const parent = await openRoot(folder);
      const onLeft = (error: unknown) =>
        warn(
          { workspace: id, error },
          "a deleted workspace could not be emptied; the next start tries again",
        );
      try {
        return await removeTree({ parent, name: id, trash, onLeft });
      } finally {
        await parent.handle.close();
      }
    },
    list: async () => (await readdir(folder)).filter((name) => name.startsWith("wsp_")),
    async prepare(id) {
      if (isFolder(pathOf(id))) return pathOf(id);
      throw new BerthError("workspace_not_found", "The workspace is not on this host; make it first.");
    },
  };
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
