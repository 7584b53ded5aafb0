import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import type { Clock } from "../../lib/clock.ts";
import { openRoot } from "../files/folder.ts";
import { removeTree } from "../files/remove-tree.ts";
import { isRunGone } from "../run-name.ts";
import type { Swept } from "../sandbox.ts";
import { killTree } from "./kill-tree.ts";
import { type Layout, type RunFolder, runFolder } from "./layout.ts";
import { type LeftRecord, readTreeRecords } from "./tree-record.ts";

export interface LeftOf {
  readonly layout: Layout;
  readonly clock: Clock;
  /** Told what could not be deleted; the next sweep tries again. */
  readonly onLeft: (thrown: unknown) => void;
}

/** Ends what runs in one sandbox, whichever server started it, and removes its temporary files. False when there was nothing. */
export async function endLeftSandbox(left: LeftOf, id: string): Promise<boolean> {
  let found = false;
  for (const run of [left.layout.own, ...(await deadRuns(left.layout))]) {
    const records = readTreeRecords(run.processes, `${left.layout.installation}.${id}.`);
    await killRecorded(left.clock, records);
    const removed = existsSync(run.temporary) && (await removeIn(left, run.temporary, id));
    found ||= removed || records.length > 0;
  }
  return found;
}

/**
 * Ends and removes what servers left that are gone: processes, folders of sandboxes, half-written and half-deleted files. What belongs
 * to a server that runs or to another deployment is not touched.
 */
export async function sweepLeftovers(left: LeftOf, deployment: string): Promise<Swept> {
  let removed = 0;
  let foreign = 0;
  for (const run of await deadRuns(left.layout)) {
    const records = readTreeRecords(run.processes, `${left.layout.installation}.`);
    const own = records.filter((record) => record.deployment === null || record.deployment === deployment);
    removed += await killRecorded(left.clock, own);
    foreign += records.length - own.length;
    if (readTreeRecords(run.processes, "").length > 0) continue;
    await removeRun(left, run);
  }
  return { removed, foreign };
}

/** At the end of this server, when nothing of it runs any more. */
export async function removeOwnRun({ own }: Layout): Promise<void> {
  if (readTreeRecords(own.processes, "").length > 0) return;
  await rm(own.path, { recursive: true, force: true }).catch(() => {
    // What cannot be deleted so is deleted by a sweep, which knows how.
  });
}

async function deadRuns({ runs }: Layout): Promise<RunFolder[]> {
  const dead = (await readdir(runs)).filter(isRunGone).map((name) => runFolder(`${runs}/${name}`));
  // Berth 0.1 kept such folders beside `runs`, for the one server that a data folder has.
  const former = runFolder(runs.slice(0, runs.lastIndexOf("/")));
  return existsSync(former.processes) ? [...dead, former] : dead;
}

async function removeRun(left: LeftOf, run: RunFolder): Promise<void> {
  for (const name of ["processes", "tmp", "staging", "trash"])
    if (existsSync(`${run.path}/${name}`)) await removeIn(left, run.path, name);
  if (run.path.startsWith(`${left.layout.runs}/`)) await rm(run.path, { recursive: true, force: true });
}

async function removeIn({ layout, onLeft }: LeftOf, folder: string, name: string): Promise<boolean> {
  const parent = await openRoot(folder);
  try {
    return await removeTree({ parent, name, trash: layout.own.trash, onLeft });
  } finally {
    await parent.handle.close();
  }
}

/** Ends the process trees whose records are given. Returns how many processes. */
async function killRecorded(clock: Clock, records: readonly LeftRecord[]): Promise<number> {
  if (records.length === 0) return 0;
  const leaders = records.map((record) => record.leader).filter((leader) => leader !== null);
  const ids = new Set(records.map((record) => record.execId));
  const { killed, left } = await killTree({ marked: (id) => ids.has(id), leaders, since: 0 }, clock);
  if (left === 0) for (const record of records) record.remove();
  return killed;
}
