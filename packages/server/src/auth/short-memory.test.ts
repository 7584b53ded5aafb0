import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { createShortMemory } from "./short-memory.ts";

describe("createShortMemory", () => {
  it("forgets after its time, by organization, and altogether", async () => {
    const clock = createManualClock();
    const memory = createShortMemory<number>({ clock, ttlMs: 2_000 });
    memory.set("a", "org_1", 1);
    memory.set("b", "org_2", 2);
    await clock.advance(1_999);
    expect([memory.get("a"), memory.get("b"), memory.get("c")]).toEqual([1, 2, undefined]);
    memory.forget("org_1");
    expect([memory.get("a"), memory.get("b")]).toEqual([undefined, 2]);
    memory.set("a", "org_1", 3);
    await clock.advance(1);
    expect([memory.get("a"), memory.get("b")]).toEqual([3, undefined]);
    memory.forget(null);
    expect(memory.get("a")).toBeUndefined();
  });

  it("keeps no more than its limit, and what came last", () => {
    const memory = createShortMemory<number>({ clock: createManualClock(), ttlMs: 2_000, limit: 2 });
    for (const [i, key] of ["a", "b", "a", "c"].entries()) memory.set(key, "org_1", i);
    expect([memory.get("a"), memory.get("b"), memory.get("c")]).toEqual([2, undefined, 3]);
  });
});
