import { availableParallelism } from "node:os";
import { type Clock, every, type TimerHandle } from "../../lib/clock.ts";
import { errnoOf } from "../files/file-errors.ts";
import type { ControlGroup } from "./control-groups.ts";

/** How often it is looked, milliseconds: each look reads some files for each sandbox (0.2 ms). */
const lookMs = 250;
const lookMsEach = 20;
/** Of its processors, what a sandbox gets while there are too few for all that are at work. */
const slowShare = 0.5;
/** Processor time since the last look, as a share of one processor, from which on a sandbox is at work, and how long it then counts. */
const workShare = 0.01;
const workMs = 2_000;

/** A living sandbox, and how many processors its policy gives it. */
export interface Sharer {
  readonly group: ControlGroup;
  readonly cpus: number;
}

interface SharingOptions {
  readonly clock: Clock;
  /** Default: the machine's. */
  readonly processors?: number;
  readonly sharers: () => readonly Sharer[];
  readonly onError: (error: unknown) => void;
}

interface Watched {
  readonly usedMs: number;
  readonly workedAt: number;
  readonly slow: boolean;
}

/**
 * Gives every sandbox half its processors while those at work may take more than the machine has besides one for the server. Whoever takes
 * all at once then finds half: on two processors a hostile one made the commands of 20 neighbours take 2.7 times as long (p95, from 11 to
 * 31 ms), and 1.6 times like this (from 15 to 25 ms). To halve only the greedy one, once it had been seen, was too late to tell.
 */
export function shareProcessors(options: SharingOptions): TimerHandle {
  const { clock, processors = availableParallelism(), sharers, onError } = options;
  let watched = new Map<ControlGroup, Watched>();
  let lookedAt = clock.monotonic();

  async function look(): Promise<void> {
    const now = clock.monotonic();
    const ms = now - lookedAt;
    const all = sharers();
    if ((watched.size === 0 && all.length < 2) || ms < lookMsEach * all.length) return;
    lookedAt = now;
    const uses = await Promise.all(all.map((sharer) => useOf(sharer, { now, ms })));
    const wanted = uses.reduce((sum, { cpus, workedAt }) => sum + (now - workedAt < workMs ? cpus : 0), 0);
    const slow = wanted > Math.max(1, processors - 1);
    for (const { group, wasSlow } of uses) {
      // Again at each look: what applies a policy gives it all.
      if (slow || wasSlow) await group.slow(slow ? slowShare : 1).catch(unlessGone);
    }
    watched = new Map(uses.map(({ group, usedMs, workedAt }) => [group, { usedMs, workedAt, slow }]));
  }

  async function useOf({ group, cpus }: Sharer, { now, ms }: { now: number; ms: number }) {
    const before = watched.get(group);
    const usedMs = (await group.metrics()).cpuMs ?? 0;
    const works = before !== undefined && usedMs - before.usedMs > workShare * ms;
    const workedAt = works ? now : (before?.workedAt ?? Number.NEGATIVE_INFINITY);
    return { group, cpus, usedMs, workedAt, wasSlow: before?.slow ?? false };
  }

  function unlessGone(error: unknown): void {
    if (errnoOf(error) !== "ENOENT") throw error;
  }

  return every(clock, lookMs, () => look().catch(onError));
}
