import type { Counter } from "../coordination/counter.ts";
import { type Clock, every } from "../lib/clock.ts";
import { newId } from "../lib/id.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** Something that is done again and again, beside the requests and the runs. */
export interface Job {
  /** Unique among the jobs: its lease and its errors go by it. */
  readonly name: string;
  /** Milliseconds from the end of one round to the beginning of the next. */
  readonly intervalMs: number;
  /** One round. It should end soon when the signal aborts; what it leaves undone belongs to the next round. */
  run(signal: AbortSignal): Promise<void>;
  /** After the last round of this process, before the store closes. */
  atStop?(): Promise<void>;
}

export interface JobsOptions {
  readonly jobs: readonly Job[];
  readonly clock: Clock;
  /** Of all processes one runs a job: who holds its slot. A crash frees it. */
  readonly counter: Pick<Counter, "takeSlot" | "freeSlot">;
  readonly telemetry: Pick<Telemetry, "unexpectedError">;
}

export interface RunningJobs {
  /** Runs one job's round now, after the one that may be under way; for what cannot wait for its time. */
  runNow(name: string): Promise<void>;
  /** Begins no more rounds, ends what is under way, and resolves when nothing of it is left. Idempotent. */
  stop(): Promise<void>;
}

/** A lease outlives three rounds, and a slow round. */
const leastLeaseMs = 60_000;

/** Runs each job in rounds that never overlap. A round that fails is told, and the next one comes all the same. */
export function startJobs({ jobs, clock, counter, telemetry }: JobsOptions): RunningJobs {
  const holder = newId("worker", clock.now());
  const stopping = new AbortController();
  const running = jobs.map((job) => startJob(job));
  let stopped: Promise<void> | null = null;

  function startJob(job: Job) {
    const slot = `job:${job.name}`;
    const leaseMs = Math.max(leastLeaseMs, 3 * job.intervalMs);
    let last: Promise<void> = Promise.resolve();
    const quietly = async (work: () => Promise<void>) => {
      await work().catch((error: unknown) => telemetry.unexpectedError({ where: `job ${job.name}`, error }));
    };
    const round = () =>
      (last = last.then(() =>
        quietly(async () => {
          if (stopping.signal.aborted) return;
          if (await counter.takeSlot(slot, holder, { slots: 1, leaseMs })) await job.run(stopping.signal);
        }),
      ));
    const timer = every(clock, job.intervalMs, round);
    return {
      name: job.name,
      round,
      async stop() {
        timer.cancel();
        await last;
        await quietly(async () => {
          await job.atStop?.();
          await counter.freeSlot(slot, holder);
        });
      },
    };
  }

  return {
    runNow: async (name) => running.find((job) => job.name === name)?.round(),
    stop() {
      stopping.abort();
      stopped ??= Promise.all(running.map((job) => job.stop())).then(() => undefined);
      return stopped;
    },
  };
}
