import { describe, expect, it } from "vitest";
import { every, pause } from "../../src/lib/clock.ts";
import { createManualClock } from "./manual-clock.ts";

describe("createManualClock", () => {
  it("stands still until it is moved, then moves both times", async () => {
    const clock = createManualClock({ now: 5_000 });
    const before = clock.monotonic();
    expect(clock.now()).toBe(5_000);
    await clock.advance(250);
    expect(clock.now()).toBe(5_250);
    expect(clock.monotonic() - before).toBe(250);
  });

  it("calls due timers in the order of time, at their own time, and no others", async () => {
    const clock = createManualClock({ now: 0 });
    const calls: string[] = [];
    for (const [name, ms] of [
      ["b", 20],
      ["a", 10],
      ["b2", 20],
      ["late", 31],
    ] as const) {
      clock.after(ms, () => calls.push(`${name}@${clock.now()}`));
    }
    await clock.advance(30);
    expect(calls).toEqual(["a@10", "b@20", "b2@20"]);
    expect(clock.timers()).toBe(1);
    await clock.advance(1);
    expect(calls.at(-1)).toBe("late@31");
  });

  it("does not call a cancelled timer", async () => {
    const clock = createManualClock();
    let called = false;
    const handle = clock.after(10, () => {
      called = true;
    });
    handle.cancel();
    await clock.advance(100);
    expect(called).toBe(false);
    expect(clock.timers()).toBe(0);
  });

  it("runs timers that promises start on the way", async () => {
    const clock = createManualClock({ now: 0 });
    const ticks: number[] = [];
    const handle = every(clock, 10, async () => {
      await Promise.resolve();
      ticks.push(clock.now());
    });
    await clock.advance(35);
    handle.cancel();
    await clock.advance(100);
    expect(ticks).toEqual([10, 20, 30]);
  });

  it("wakes who pauses", async () => {
    const clock = createManualClock();
    let awake = false;
    const sleeper = pause(clock, 1_000).then(() => {
      awake = true;
    });
    await clock.advance(999);
    expect(awake).toBe(false);
    await clock.advance(1);
    expect(awake).toBe(true);
    await sleeper;
  });

  it("steps the wall clock alone", async () => {
    const clock = createManualClock({ now: 10_000 });
    const before = clock.monotonic();
    let called = false;
    clock.after(50, () => {
      called = true;
    });
    clock.stepWallClock(-3_600_000);
    expect(clock.now()).toBe(10_000 - 3_600_000);
    expect(clock.monotonic()).toBe(before);
    await clock.advance(50);
    expect(called).toBe(true);
  });
});
