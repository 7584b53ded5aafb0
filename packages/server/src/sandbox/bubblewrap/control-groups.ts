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
  /** Sets the limits; what comes back was read from the kernel. What was slowed is not any more. */
  apply(limits: GroupLimits): Promise<GroupLimits>;
  /** Gives it this share of its processors until it is told otherwise; 1 is all of them. */
  slow(share: number): Promise<void>;
  metrics(): Promise<GroupMetrics>;
}

/**
 * A group runs until it has used its quota, then stands until the period is over. With the usual 100 ms a busy one takes every processor of
 * a small machine for tens of milliseconds, and whoever wakes up then waits. The kernel takes no quota below 1 ms. Microseconds.
 */
export function quotaOf(cpus: number): { readonly quotaUs: number; readonly periodUs: number } {
  const periodUs = cpus < 0.1 ? 100_000 : 10_000;
  return { quotaUs: Math.max(1_000, Math.round(cpus * periodUs)), periodUs };
}

/** Changes of a group's processors, one after another, so that the last one that was asked for holds. */
export interface Processors {
  /** Resolves with what `readBack` reads before anything else changes. */
  set<T>(cpus: number, readBack: () => Promise<T>): Promise<T>;
  slow(share: number): Promise<void>;
}

export function processorsOf(write: (cpus: number) => Promise<void>): Processors {
  let given = 0;
  let last: Promise<unknown> = Promise.resolve();
  const next = <T>(change: () => Promise<T>): Promise<T> => {
    const done = last.then(change);
    last = done.catch(() => undefined);
    return done;
  };
  return {
    set: (cpus, readBack) =>
      next(async () => {
        given = cpus;
        await write(cpus);
        return await readBack();
      }),
    slow: (share) => next(() => write(given * share)),
  };
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
