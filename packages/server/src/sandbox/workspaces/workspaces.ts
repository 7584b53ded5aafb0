import type { Clock } from "../../lib/clock.ts";
import type { Search } from "../files/search.ts";
import { parsePath } from "../files/workspace-path.ts";
import { checkWorkspaceId } from "../sandbox-id.ts";
import { createFolderDisk } from "./folder-disk.ts";
import { ownerOf } from "./give-files.ts";
import { holdWorkspace } from "./hold-workspace.ts";
import type { HostWorkspaces } from "./host-workspaces.ts";
import { createImageDisk } from "./image-disk.ts";
import type { ImagePrograms } from "./image-file.ts";
import { Measurer } from "./measure.ts";
import { OpenDisks } from "./open-disks.ts";
import { openFiles, usageOf, using, type WorkspaceParts } from "./workspace-files.ts";
import { createSpareImages } from "./spare-images.ts";
import { makeFolders, removeRun, sweepRuns } from "./workspace-folders.ts";
import { WatchedQuota } from "./watched-quota.ts";

export interface WorkspacesOptions {
  readonly dataDir: string;
  /** Of new workspaces. What is there already stays as it is. */
  readonly quota:
    | { readonly kind: "none" | "watched" }
    | { readonly kind: "image"; readonly programs: ImagePrograms };
  /** Why it is not an image. */
  readonly reason?: string | null;
  readonly clock: Clock;
  readonly search: Search;
  readonly warn: (details: Readonly<Record<string, unknown>>, message: string) => void;
}

/** The workspaces below a data folder. Plain folders and images of it are found, whichever kind is made now. */
export function createWorkspaces(options: WorkspacesOptions): HostWorkspaces {
  const { clock, search, warn, quota: wanted } = options;
  const folders = makeFolders(options.dataDir);
  const programs = wanted.kind === "image" ? wanted.programs : null;
  const onLeft = (error: unknown) =>
    warn({ error }, "a deleted folder could not be emptied; the next sweep tries again");
  const plain = createFolderDisk({ folder: folders.workspaces, own: folders.own, onLeft });
  const spares =
    programs === null
      ? null
      : createSpareImages({
          folders,
          programs,
          clock,
          onError: (error) => warn({ error }, "no workspace could be made in advance"),
        });
  const images = programs === null || spares === null ? null : createImageDisk({ folders, programs, spares });
  const made = images ?? plain;
  const diskOf = (id: string) => [plain, images].find((disk) => disk?.has(id)) ?? null;
  const opened = new OpenDisks({
    clock,
    diskOf,
    onError: (id, error) => warn({ workspace: id, error }, "a workspace could not be unmounted"),
  });
  const measurer = new Measurer();
  const quota = wanted.kind === "none" ? null : new WatchedQuota({ clock, folder: folders.limits, measurer });
  const parts: WorkspaceParts = { plain, opened, quota, measurer, search, onLeft, warn };

  return {
    quota: wanted.kind,
    reason: options.reason ?? null,
    async create({ id }, limits) {
      checkWorkspaceId(id);
      const disk = diskOf(id);
      // One that has enough room stays as it is, and mounted (20 ms to unmount it and mount it again).
      if (disk === null || (!opened.isUsed(id) && (await disk.lacks(id, limits))))
        await opened.make(id, () => (diskOf(id) ?? made).create(id, limits));
      if (diskOf(id) === plain) await quota?.setLimits(id, limits);
    },
    async open({ id }, { folder = "" } = {}) {
      checkWorkspaceId(id);
      return diskOf(id) === null ? null : await openFiles(parts, id, folder);
    },
    async usage({ id }) {
      checkWorkspaceId(id);
      return diskOf(id) === null
        ? null
        : await using(parts, id, ({ disk, place }) => usageOf(parts, { id, disk, root: place.root }));
    },
    async remove({ id }, { folder = "" } = {}) {
      checkWorkspaceId(id);
      if (diskOf(id) === null) return false;
      if (parsePath(folder).length > 0) return await (await openFiles(parts, id, "")).remove(folder);
      return await opened.exclusively(id, async () => {
        const disk = diskOf(id);
        await disk?.remove(id);
        await quota?.forget(id);
        return disk !== null;
      });
    },
    list: async () => [...new Set([...(await plain.list()), ...((await images?.list()) ?? [])])],
    ownerOf: (id) => using(parts, id, ({ place }) => ownerOf(place.root)),
    hold: (id, given) => holdWorkspace(parts, id, given),
    sweep: () => sweepRuns(folders, programs, onLeft),
    async close() {
      await spares?.close();
      await opened.close();
      await measurer.close();
      await removeRun(folders, programs);
    },
  };
}
