import { describe, expect, it } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { type Completion, Effects } from "./effects.ts";

const nothing: Completion = () => undefined;

describe("the effects of a session", () => {
  it("knows one that has finished until its completion is taken, so that no turn in between starts it again (I6)", async () => {
    let woken = () => {};
    const wake = new Promise<void>((resolve) => (woken = resolve));
    const effects = new Effects(
      systemClock,
      () => woken(),
      () => {},
    );
    effects.start("tool:a", async () => nothing);
    expect(effects.has("tool:a")).toBe(true);
    await wake;
    expect(effects.has("tool:a")).toBe(true);
    expect(effects.keys()).toEqual(["tool:a"]);
    expect(effects.take()).toEqual([nothing]);
    expect(effects.has("tool:a")).toBe(false);
    expect(effects.keys()).toEqual([]);
  });

  it("drops the outcome of one that was aborted", async () => {
    const effects = new Effects(
      systemClock,
      () => {},
      () => {},
    );
    let finish: (completion: Completion) => void = () => {};
    effects.start("tool:a", () => new Promise((resolve) => (finish = resolve)));
    effects.keepOnly(new Set());
    expect(effects.has("tool:a")).toBe(false);
    finish(nothing);
    await effects.settled();
    expect(effects.take()).toEqual([]);
    expect(effects.has("tool:a")).toBe(false);
  });

  it("hands on what its work throws, instead of ending the process", async () => {
    const faults: unknown[] = [];
    const effects = new Effects(
      systemClock,
      () => {},
      (fault) => faults.push(fault),
    );
    const fault = new RangeError("too deep");
    effects.start("tool:a", () => Promise.reject(fault));
    await new Promise((resolve) => setImmediate(resolve));
    expect(faults).toEqual([fault]);
  });
});
