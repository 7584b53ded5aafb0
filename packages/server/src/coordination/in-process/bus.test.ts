import { afterEach, describe, expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { createInProcessBus } from "./bus.ts";

describe("createInProcessBus", () => {
  const clock = createManualClock();
  const errors: [unknown, string][] = [];
  const bus = createInProcessBus({ clock, onError: (thrown, topic) => errors.push([thrown, topic]) });
  afterEach(() => errors.splice(0));

  it("has called every subscriber when publish returns, in the order of their subscribing", async () => {
    const calls: string[] = [];
    const stops = [
      await bus.subscribe("t", (frame) => calls.push(`first ${frame}`)),
      await bus.subscribe("t", (frame) => calls.push(`second ${frame}`)),
    ];
    bus.publish("t", 1);
    expect(calls).toEqual(["first 1", "second 1"]);
    for (const stop of stops) stop();
  });

  it("is not disturbed by who comes and goes during a publish", async () => {
    const calls: string[] = [];
    const stops: (() => void)[] = [];
    stops.push(
      await bus.subscribe("t", () => {
        calls.push("first");
        stops[1]?.();
        void bus.subscribe("t", () => calls.push("new")).then((stop) => stops.push(stop));
      }),
      await bus.subscribe("t", () => calls.push("second")),
    );
    bus.publish("t", 1);
    expect(calls).toEqual(["first", "second"]);
    for (const stop of stops) stop();
  });

  it("says on which topic a subscriber threw", async () => {
    const stop = await bus.subscribe("t", () => {
      throw new Error("broken");
    });
    bus.publish("t", 1);
    expect(errors).toEqual([[expect.objectContaining({ message: "broken" }), "t"]]);
    stop();
  });

  it("answers null at once when nobody is there to answer, and leaves no timer behind", async () => {
    expect(await bus.ask("nobody", 1, 60_000)).toBeNull();
    const stop = await bus.answer("t", () => 1);
    expect(await bus.ask("t", 1, 60_000)).toBe(1);
    expect(clock.timers()).toBe(0);
    stop();
  });
});
