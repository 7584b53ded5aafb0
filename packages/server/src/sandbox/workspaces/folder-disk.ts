import { lstatSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { openRoot } from "../files/folder.ts";
import { removeTree } from "../files/remove-tree.ts";
import type { WorkspaceDisk, WorkspacePlace } from "./host-workspaces.ts";

/** Each workspace is a folder. */
export function createFolderDisk(options: {
  folder: string;
  own: Pick<WorkspacePlace, "staging" | "trash">;
  onLeft: (thrown: unknown) => void;
}): WorkspaceDisk {
  const { folder, own, onLeft } = options;
  const pathOf = (id: string) => `${folder}/${id}`;
  return {
    has: (id) => lstatSync(pathOf(id), { throwIfNoEntry: false })?.isDirectory() ?? false,
    async create(id) {
      await mkdir(pathOf(id), { recursive: true, mode: 0o700 });
    },
    lacks: async () => false,
    open: async (id) => ({ root: pathOf(id), ...own }),
    usage: async () => null,
    close: async () => undefined,
    async remove(id) {
      const parent = await openRoot(folder);
      try {
        await removeTree({ parent, name: id, trash: own.trash, onLeft });
      } finally {
        await parent.handle.close();
      }
    },
    list: async () => (await readdir(folder)).filter((name) => /^wsp_[0-9a-z]+$/.test(name)),
  };
}
