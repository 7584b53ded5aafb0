import { describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../../test/support/manual-clock.ts";
import type { Clock } from "../lib/clock.ts";
import { watchOverload } from "./overload.ts";

const overloaded = expect.objectContaining({ code: "overloaded", retryable: true });

/** A clock whose timers are as late as a test says. */
function lateClock(manual: ManualClock): Clock & { lateMs: number } {
  const clock = {
    lateMs: 0,
    now: () => manual.now(),
    monotonic: () => manual.monotonic(),
    after: (ms: number, call: () => void) => manual.after(ms + clock.lateMs, call),
  };
  return clock;
}

describe("NET-11: an overloaded process", () => {
  it("turns requests away while too many are answered", () => {
    const overload = watchOverload(createManualClock(), { maxRequests: 2, lateMs: 1_000 });
    overload.begin();
    overload.begin();
    expect(() => overload.begin()).toThrow(overloaded);
    expect(overload.isOverloaded).toBe(true);
    overload.end();
    overload.begin();
    overload.stop();
  });

  it("turns them away while it is late, bears one pause, and recovers alone", async () => {
    const manual = createManualClock();
    const clock = lateClock(manual);
    const overload = watchOverload(clock, { maxRequests: 2, lateMs: 1_000 });
    const isOverloaded = async (ms: number) => {
      await manual.advance(ms);
      return overload.isOverloaded;
    };
    clock.lateMs = 1_500;
    expect(await isOverloaded(100)).toBe(false);
    expect(await isOverloaded(1_600)).toBe(false);
    expect(await isOverloaded(1_600)).toBe(true);
    expect(() => overload.begin()).toThrow(overloaded);
    clock.lateMs = 0;
    expect(await isOverloaded(1_600)).toBe(true);
    expect(await isOverloaded(100)).toBe(false);
    overload.begin();
    overload.stop();
  });
});
