import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import { newId } from "../../../src/lib/id.ts";
import { createSearch, type Search } from "../../../src/sandbox/files/search.ts";
import { findQuota } from "../../../src/sandbox/workspaces/find-quota.ts";
import type { HostWorkspaces } from "../../../src/sandbox/workspaces/host-workspaces.ts";
import { mountPoints } from "../../../src/sandbox/workspaces/mount-table.ts";
import { createWorkspaces } from "../../../src/sandbox/workspaces/workspaces.ts";

export interface WorkspaceRig {
  /** A folder of the test's own. */
  folder: string;
  /** In that one. */
  dataDir: string;
  /** Opens them like a server, which ends with the test. */
  open(kind: "watched" | "image", clock?: Clock): Promise<HostWorkspaces>;
}

/** Workspaces of a data folder for each test. Fails the test that leaves something mounted. */
export function useWorkspaces(): WorkspaceRig {
  const opened: HostWorkspaces[] = [];
  let search: Search;
  const rig: WorkspaceRig = {
    folder: "",
    dataDir: "",
    async open(kind, clock = systemClock) {
      const { dataDir } = rig;
      const quota = kind === "image" ? await findQuota(dataDir) : { kind };
      const warn = (_: object, message: string) => {
        throw new Error(message);
      };
      const workspaces = createWorkspaces({ dataDir, quota, clock, search, warn });
      opened.push(workspaces);
      return workspaces;
    },
  };
  beforeEach(async () => {
    rig.folder = await realpath(await mkdtemp(join(tmpdir(), "berth-workspaces-")));
    rig.dataDir = join(rig.folder, "data");
    search = createSearch({ clock: systemClock });
  });
  afterEach(async () => {
    for (const workspaces of opened.splice(0)) await workspaces.close();
    await search.close();
    const left = mountPoints().filter((at) => at.startsWith(rig.folder));
    if (left.length > 0) throw new Error(`left mounted: ${left.join(", ")}`);
    await rm(rig.folder, { recursive: true, force: true });
  });
  return rig;
}

export const workspaceRef = () => ({ id: newId("workspace"), host: "local" });
