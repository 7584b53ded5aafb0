import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { createInProcessCounter } from "../coordination/in-process/counter.ts";
import { type Job, startJobs } from "./runner.ts";

function rig(jobs: (clock: ReturnType<typeof createManualClock>) => readonly Job[]) {
  const clock = createManualClock();
  const errors: string[] = [];
  const telemetry = { unexpectedError: ({ where }: { where: string }) => void errors.push(where) };
  const counter = createInProcessCounter({ clock });
  const start = () => startJobs({ jobs: jobs(clock), clock, counter, telemetry });
  return { clock, errors, counter, start };
}

describe("startJobs", () => {
  it("runs a job again and again, and never two rounds of it at once", async () => {
    let rounds = 0;
    let release = () => {};
    const job: Job = {
      name: "slow",
      intervalMs: 100,
      run: () => {
        rounds += 1;
        return new Promise((resolve) => (release = resolve));
      },
    };
    const { clock, start } = rig(() => [job]);
    const jobs = start();
    await clock.advance(100);
    await clock.advance(1_000);
    expect(rounds).toBe(1);
    release();
    await clock.advance(100);
    expect(rounds).toBe(2);
    release();
    await jobs.stop();
  });

  it("tells of a round that fails and goes on", async () => {
    let rounds = 0;
    const job: Job = {
      name: "broken",
      intervalMs: 10,
      run: async () => {
        rounds += 1;
        throw new Error("no");
      },
    };
    const { clock, errors, start } = rig(() => [job]);
    const jobs = start();
    await clock.advance(30);
    await jobs.stop();
    expect([rounds, errors]).toEqual([3, ["job broken", "job broken", "job broken"]]);
  });

  it("is done by one of several processes, and by another once that one stops or its lease ends", async () => {
    const done: string[] = [];
    const clock = createManualClock();
    const counter = createInProcessCounter({ clock });
    const telemetry = { unexpectedError: () => {} };
    const process = (name: string) =>
      startJobs({
        jobs: [{ name: "one", intervalMs: 1_000, run: async () => void done.push(name) }],
        clock,
        counter,
        telemetry,
      });
    const [first, second] = [process("first"), process("second")];
    await clock.advance(2_000);
    expect(done).toEqual(["first", "first"]);
    await first.stop();
    await clock.advance(1_000);
    expect(done).toEqual(["first", "first", "second"]);
    await second.stop();
  });

  it("ends the round under way, then does what the job wants done last, and leaves no timer", async () => {
    const told: string[] = [];
    const job: Job = {
      name: "last",
      intervalMs: 10,
      run: (signal) =>
        new Promise((resolve) =>
          signal.addEventListener("abort", () => {
            told.push("aborted");
            resolve();
          }),
        ),
      atStop: async () => void told.push("at stop"),
    };
    const { clock, start } = rig(() => [job]);
    const jobs = start();
    await clock.advance(10);
    await jobs.stop();
    await jobs.stop();
    expect([told, clock.timers()]).toEqual([["aborted", "at stop"], 0]);
  });

  it("runs a round at once when it is asked to", async () => {
    let rounds = 0;
    const { start } = rig(() => [{ name: "now", intervalMs: 1_000, run: async () => void (rounds += 1) }]);
    const jobs = start();
    await jobs.runNow("now");
    await jobs.stop();
    await jobs.runNow("now");
    expect(rounds).toBe(1);
  });
});
