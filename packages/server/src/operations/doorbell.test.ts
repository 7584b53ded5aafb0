import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { createDoorbell } from "./doorbell.ts";

describe("createDoorbell", () => {
  it("wakes who waits, at a ring or when the time is over, and leaves no timer", async () => {
    const clock = createManualClock();
    const bell = createDoorbell(clock);
    const rung = bell.heard(1_000);
    bell.ring();
    await rung;
    expect(clock.timers()).toBe(0);
    let over = false;
    const late = bell.heard(1_000).then(() => (over = true));
    await clock.advance(999);
    expect(over).toBe(false);
    await clock.advance(1);
    await late;
    expect(clock.timers()).toBe(0);
  });

  it("keeps a ring that comes while nobody waits, once", async () => {
    const clock = createManualClock();
    const bell = createDoorbell(clock);
    bell.ring();
    bell.ring();
    await bell.heard(1_000);
    let heard = false;
    const second = bell.heard(1_000).then(() => (heard = true));
    await clock.advance(0);
    expect(heard).toBe(false);
    bell.ring();
    await second;
  });
});
