import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { constants, readFile, rmdir, writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { BerthError } from "../../lib/errors.ts";
import { errnoOf } from "../files/file-errors.ts";
import type { SandboxLimits, SandboxMetrics } from "../sandbox.ts";

/** What control groups hold a sandbox to. */
export type GroupLimits = Pick<SandboxLimits, "memoryBytes" | "cpus" | "pids">;

export type GroupMetrics = Omit<SandboxMetrics, "diskBytes">;

/**
 * Of the usual weight (1,024 of version 1, 100 of version 2), for the whole sandbox: the server goes first where both want a processor. No
 * less than half, or sandboxes would hardly begin beside other programs of a busy machine.
 */
export const sandboxShare = 0.5;

/** The control groups of this machine that sandboxes may have groups in. */
export interface ControlGroups {
  readonly version: "v1" | "v2";
  /** Folders of the group with this name, one for each hierarchy, whether they exist or not. */
  foldersOf(name: string): readonly string[];
  /** Makes the group and sets its limits before anything is in it. */
  create(name: string, limits: GroupLimits): Promise<ControlGroup>;
}

export interface ControlGroup {
  /** Moves a process into it, with all that it starts from now on. */
  add(pid: number): Promise<void>;
  /** Sets the limits; what comes back was read from the kernel. */
  apply(limits: GroupLimits): Promise<GroupLimits>;
  metrics(): Promise<GroupMetrics>;
  /** Processor time since it was made, milliseconds; null where it is gone, or nobody counts. */
  usedMs(): number | null;
  /** Whether its processes run only where no others want to. */
  giveWay(yes: boolean): void;
}

/** How long processes may take to vanish after SIGKILL, in milliseconds of the kernel's time, whatever the clock says. */
const patienceMs = 5_000;
const longestWaitMs = 50;

/**
 * Kills everything in a group and removes it. Idempotent; a group that is gone is none. Rejects with `sandbox_busy` when
 * something in it does not die in time.
 */
export async function removeGroup(folders: readonly string[]): Promise<void> {
  const [first, ...others] = folders;
  // All hold the same processes: once one is empty, the others are.
  if (first !== undefined) await removeFolder(first);
  await Promise.all(others.map(removeFolder));
}

async function removeFolder(folder: string): Promise<void> {
  let waited = 0;
  for (let ms = 1; !(await removedNow(folder)); ms = Math.min(ms * 2, longestWaitMs)) {
    if (waited > patienceMs) {
      throw new BerthError("sandbox_busy", `Processes in ${folder} do not end; the next sweep tries again.`, {
        retryable: true,
      });
    }
    await wait(ms);
    waited += ms;
  }
}

/** Tries once. The processes of a group are all a sandbox's, so killing by number is safe as long as the group lists them. */
async function removedNow(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return true;
    if (errnoOf(thrown) !== "EBUSY" && errnoOf(thrown) !== "ENOTEMPTY") throw thrown;
  }
  if (await writeIfThere(`${folder}/cgroup.kill`, "1")) return false;
  for (const pid of await processesOf(folder)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (thrown) {
      if (errnoOf(thrown) !== "ESRCH") throw thrown;
    }
  }
  return false;
}

/** Processes in a group; none when there is no such group. */
async function processesOf(folder: string): Promise<number[]> {
  try {
    return numbers(await readFile(`${folder}/cgroup.procs`, "utf8"));
  } catch (thrown) {
    // ENODEV: it was removed while it was read.
    if (errnoOf(thrown) === "ENOENT" || errnoOf(thrown) === "ENODEV") return [];
    throw thrown;
  }
}

const numbers = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);

/** False when there is no such file: an older kernel, or one without swap accounting. */
export async function writeIfThere(file: string, value: string): Promise<boolean> {
  try {
    // Never made: the kernel's files are there or not.
    await writeFile(file, value, { flag: constants.O_WRONLY | constants.O_TRUNC });
    return true;
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return false;
    throw thrown;
  }
}

/**
 * Writes a group's weight, or what makes it one that any other goes before: `cpu.idle` (Linux 5.15 and newer), or the least weight. At once and
 * not by a thread of the pool, which is not free when this is needed most.
 */
export function writeWeight(folder: string, { file, weight, idle }: Weighing): void {
  if (!writeNowIfThere(`${folder}/cpu.idle`, idle ? "1" : "0")) {
    writeNowIfThere(`${folder}/${file}`, String(idle ? leastWeight : weight));
  }
  // Whoever is no longer idle has the usual weight, and not the one from before.
  else if (!idle) writeNowIfThere(`${folder}/${file}`, String(weight));
}

interface Weighing {
  /** `cpu.shares` of version 1, `cpu.weight` of version 2. */
  readonly file: string;
  readonly weight: number;
  readonly idle: boolean;
}

/** The kernel's least weight of version 1 is 2, that of version 2 is 1. */
const leastWeight = 2;

function writeNowIfThere(file: string, value: string): boolean {
  try {
    const opened = openSync(file, constants.O_WRONLY | constants.O_TRUNC);
    try {
      writeSync(opened, value);
    } finally {
      closeSync(opened);
    }
    return true;
  } catch (thrown) {
    // ENODEV: it was removed while it was written.
    if (errnoOf(thrown) === "ENOENT" || errnoOf(thrown) === "ENODEV") return false;
    throw thrown;
  }
}

/** A small file of the kernel, or the empty text when it is not there. */
export function readNow(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT" || errnoOf(thrown) === "ENODEV") return "";
    throw thrown;
  }
}

/** The number in a file, or null when it is not there or says `max`. */
export async function readNumber(file: string): Promise<number | null> {
  const text = await readFile(file, "utf8").catch(() => "");
  return /^-?\d+\s*$/.test(text) ? Number(text) : null;
}

/** The number after a word in a file of lines `word number`. */
export async function readField(file: string, field: string): Promise<number | null> {
  const text = await readFile(file, "utf8").catch(() => "");
  const found = new RegExp(`^${field} (\\d+)$`, "m").exec(text)?.[1];
  return found === undefined ? null : Number(found);
}
