import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { createInProcessCounter } from "../coordination/in-process/counter.ts";
import type { BackupRecord, Backups } from "../store/backups.ts";
import { backupsJob } from "./backups.ts";
import { startJobs } from "./runner.ts";

const hour = 3_600_000;

describe("backups by themselves", () => {
  it("are made when the newest one is older than the interval, also when that was made by hand", async () => {
    const clock = createManualClock();
    const made: BackupRecord[] = [];
    const limits: object[] = [];
    const start = async () => {
      const startedAt = clock.now();
      const rest = { finishedAt: startedAt, bytes: 1, progress: null, missingBlobs: 0, error: null };
      const record: BackupRecord = { name: `b${made.length}`, path: "", status: "done", startedAt, ...rest };
      made.unshift(record);
      return { record, replayed: false };
    };
    const backups: Backups = {
      start,
      list: async () => made,
      find: async () => null,
      idle: async () => {},
      noteErasure: async () => {},
      prune: async (wanted) => {
        limits.push(wanted);
        return [];
      },
      stop: async () => {},
    };
    const job = backupsJob({ backups, clock, intervalMs: 6 * hour, keep: 3, maxAgeMs: 24 * hour });
    const counter = createInProcessCounter({ clock });
    const jobs = startJobs({ jobs: [job], clock, counter, telemetry: { unexpectedError: () => {} } });
    await clock.advance(60_000);
    expect(made).toHaveLength(1);
    await clock.advance(5 * hour);
    expect(made).toHaveLength(1);
    await start();
    await clock.advance(2 * hour);
    expect(made).toHaveLength(2);
    await clock.advance(5 * hour);
    expect(made).toHaveLength(3);
    expect(limits.at(-1)).toEqual({ keep: 3, maxAgeMs: 24 * hour });
    await jobs.stop();
    await counter.close();
  });
});
