import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { within } from "./clock.ts";

describe("within", () => {
  it("waits for something no longer than its time, and then says so", async () => {
    const clock = createManualClock();
    let told: AbortSignal | null = null;
    const waiting = within(clock, 100, (over) => {
      told = over;
      return new Promise(() => undefined);
    });
    expect(told).toMatchObject({ aborted: false });
    await clock.advance(100);
    await waiting;
    expect(told).toMatchObject({ aborted: true });
  });

  it("ends with what it waits for, and rejects as that does", async () => {
    const clock = createManualClock();
    await within(clock, 100, async () => "done");
    await expect(within(clock, 100, () => Promise.reject(new Error("broke")))).rejects.toThrow("broke");
  });
});
