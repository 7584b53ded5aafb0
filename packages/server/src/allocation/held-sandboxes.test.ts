import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { fakeLimits } from "../../test/support/sandbox/fake-provider.ts";
import { type Held, HeldSandboxes } from "./held-sandboxes.ts";

const owners = [
  { orgId: "org_1", userId: "usr_1" },
  { orgId: "org_1", userId: "usr_2" },
  { orgId: "org_2", userId: "usr_1" },
];

function held(id: string, owner: { orgId: string; userId: string }, now: number): Held {
  return {
    key: { id, incarnation: "1" },
    ref: { id, host: "one" },
    owner: { ...owner, sessionId: `ses_${id}`, strategy: "Session-Exclusive" },
    template: "t",
    policy: { limits: fakeLimits, egress: { allow: [] } },
    idleTtlMs: 1_000,
    bornAt: now,
    usedAt: now,
    unnoted: new Set(),
    busy: 0,
    commands: 0,
    ending: false,
    guest: null,
    sharers: new Map(),
  };
}

const which = fc.nat({ max: 7 });
const step = fc.oneof(
  fc.record({
    do: fc.constantFrom("enter" as const, "leave" as const, "end" as const, "lend" as const),
    which,
  }),
  fc.record({ do: fc.constant("wait" as const), which: fc.nat({ max: 3_000 }) }),
  fc.record({ do: fc.constant("ask" as const), which: fc.nat({ max: 2 }) }),
);

describe("which sandbox is taken for another session's sake", () => {
  it("SCH-03: over 10,000 random traces the one idle longest, never a busy one, another server's, user's or organization's", async () => {
    let taken = 0;
    let now = 0;
    const clock = { ...createManualClock(), monotonic: () => now };
    const property = fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), (steps) => {
      const sandboxes = new HeldSandboxes(clock);
      const all = Array.from({ length: 8 }, (_, at) =>
        held(`sbx_${at}`, owners[at % 3] ?? { orgId: "", userId: "" }, now),
      );
      const inside = all.map((): (() => void)[] => []);
      for (const one of all) sandboxes.add(one);
      for (const { do: what, which: at } of steps) {
        const one = all[at % all.length];
        if (what === "wait") now += at;
        else if (what === "enter" && one !== undefined) inside[at]?.push(sandboxes.enter(one, null));
        else if (what === "leave") inside[at]?.pop()?.();
        else if (what === "lend" && one !== undefined) one.guest = one.guest === null ? { notedAt: 0 } : null;
        else if (what === "end" && one !== undefined) one.ending = !one.ending;
        else if (what === "ask") {
          const owner = owners[at] ?? { orgId: "", userId: "" };
          const mine = all.filter(
            (each, index) =>
              each.owner.orgId === owner.orgId &&
              each.owner.userId === owner.userId &&
              inside[index]?.length === 0 &&
              !each.ending &&
              each.guest === null &&
              now - each.usedAt >= 1_000,
          );
          const found = sandboxes.oldestIdle(owner);
          if (found !== null) taken += 1;
          const oldest = mine.length === 0 ? null : Math.min(...mine.map(({ usedAt }) => usedAt));
          if ((found?.usedAt ?? null) !== oldest || (found !== null && !mine.includes(found))) return false;
        }
      }
      return true;
    });
    fc.assert(property, { numRuns: 10_000 });
    // It was no empty question.
    expect(taken).toBeGreaterThan(1_000);
  }, 60_000);
});
