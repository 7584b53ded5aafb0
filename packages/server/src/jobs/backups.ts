import type { Clock } from "../lib/clock.ts";
import type { Backups } from "../store/backups.ts";
import type { Job } from "./runner.ts";

export interface BackupSchedule {
  readonly backups: Backups;
  readonly clock: Pick<Clock, "now">;
  readonly intervalMs: number;
  readonly keep: number;
  readonly maxAgeMs: number;
}

const mostBetweenLooks = 60_000;

/** Makes a backup when the newest one is older than the interval, also when it was made by hand, and deletes the oldest. */
export function backupsJob({ backups, clock, intervalMs, keep, maxAgeMs }: BackupSchedule): Job {
  return {
    name: "backups",
    intervalMs: Math.min(intervalMs, mostBetweenLooks),
    async run() {
      const newest = (await backups.list()).find(({ status }) => status !== "failed");
      if (newest === undefined || clock.now() - newest.startedAt >= intervalMs) {
        await backups.start();
        await backups.idle();
      }
      await backups.prune({ keep, maxAgeMs });
    },
  };
}
