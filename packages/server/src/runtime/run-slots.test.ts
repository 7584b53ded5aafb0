import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { createInProcessCounter } from "../coordination/in-process/counter.ts";
import type { OrgShare } from "../store/limits.ts";
import { RunSlots, type RunSlotsOptions, type SlotHolder } from "./run-slots.ts";

class Run implements SlotHolder {
  readonly held: SlotHolder["held"];
  readonly owner: string;
  nudges = 0;

  constructor(orgId: string, sessionId: string, owner = "ada") {
    this.held = { orgId, sessionId, epoch: 1 };
    this.owner = owner;
  }

  nudge(): void {
    this.nudges += 1;
  }
}

function rig(change: Partial<RunSlotsOptions> & { quotas?: Record<string, Partial<OrgShare>> } = {}) {
  const { quotas = {}, ...options } = change;
  const clock = createManualClock();
  const shareOf = (orgId: string): OrgShare => ({ weight: 1, runningSessions: null, ...quotas[orgId] });
  const shares = { known: shareOf, of: async (orgId: string) => shareOf(orgId) };
  const counter = createInProcessCounter({ clock });
  const telemetry = { unexpectedError: ({ error }: { error: unknown }) => expect(error).toBeUndefined() };
  const base = { size: 10, fair: true, leaseMs: 6_000, shares, counter, clock, telemetry };
  const open = () => new RunSlots({ ...base, ...options });
  let count = 0;
  const run = (orgId: string, owner?: string) => new Run(orgId, String(count++), owner);
  return { open, run, clock, quotas };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

async function takeAll(slots: RunSlots, runs: readonly Run[]): Promise<number> {
  let taken = 0;
  for (const run of runs) if (await slots.take(run)) taken += 1;
  return taken;
}

describe("RunSlots", () => {
  it("gives an organization four fifths at most, and the rest to the next that comes, at once", async () => {
    const { open, run } = rig();
    const slots = open();
    const noisy = Array.from({ length: 30 }, () => run("noisy"));
    expect(await takeAll(slots, noisy)).toBe(8);
    expect([slots.waiting("noisy"), slots.room("noisy"), slots.room("new")]).toEqual([22, 0, 2]);
    expect(await slots.take(run("new"))).toBe(true);
  });

  it.each([
    [1, true, 1],
    [2, true, 1],
    [5, true, 4],
    [64, true, 51],
    [64, false, 64],
  ])("of %i (fair: %s) gives one organization %i", async (size, fair, most) => {
    const { open, run } = rig({ size, fair });
    const slots = open();
    expect(
      await takeAll(
        slots,
        Array.from({ length: 100 }, () => run("a")),
      ),
    ).toBe(most);
  });

  it("gives nothing to who has ended, also when it ends while it asks", async () => {
    const { open, run } = rig({ size: 1, fair: false });
    const slots = open();
    const [ended, ending] = [run("a"), run("a")];
    slots.leave(ended);
    expect(await slots.take(ended)).toBe(false);
    const asking = slots.take(ending);
    slots.leave(ending);
    expect([await asking, slots.waiting("a"), slots.room("a")]).toEqual([false, 0, 1]);
    expect(await slots.take(run("a"))).toBe(true);
  });

  it("gives a free slot to who holds least for its weight, there to the owner whose turn it is, and tells it", async () => {
    const { open, run } = rig({ size: 3, fair: false, quotas: { heavy: { weight: 4 } } });
    const slots = open();
    const first = [run("light"), run("heavy"), run("heavy")];
    await takeAll(slots, first);
    const [ada, otherOfAda, ben] = [run("heavy", "ada"), run("heavy", "ada"), run("heavy", "ben")];
    const light = run("light");
    await takeAll(slots, [light, ada, otherOfAda, ben]);
    slots.leave(first[1] as Run);
    await settle();
    expect([light.nudges, ada.nudges, otherOfAda.nudges, ben.nudges]).toEqual([0, 1, 0, 0]);
    slots.leave(first[2] as Run);
    await settle();
    expect([light.nudges, ada.nudges, otherOfAda.nudges, ben.nudges]).toEqual([0, 1, 0, 1]);
    slots.leave(first[0] as Run);
    await settle();
    expect(light.nudges).toBe(1);
    expect(await slots.take(light)).toBe(true);
    expect(light.nudges).toBe(1);
  });

  it("keeps the slot of who has not seen it yet, and takes it from who saw it and does not run", async () => {
    const { open, run } = rig({ size: 1 });
    const slots = open();
    const [first, second] = [run("a"), run("b")];
    await takeAll(slots, [first, second]);
    slots.leave(first);
    await settle();
    // Its turn began before the slot came.
    slots.free(second, false);
    expect(slots.has(second)).toBe(true);
    slots.free(second, true);
    expect(slots.has(second)).toBe(false);
    expect(await slots.take(run("a"))).toBe(true);
  });

  it("counts an organization's quota over all processes, gets back what a crash held, and sees a raised quota", async () => {
    const { open, run, clock, quotas } = rig({ quotas: { a: { runningSessions: 2 } } });
    const [crashed, slots] = [open(), open()];
    slots.start();
    expect(await takeAll(crashed, [run("a"), run("a"), run("a")])).toBe(2);
    const waiting = run("a");
    expect(await slots.take(waiting)).toBe(false);
    expect(await slots.take(run("b"))).toBe(true);
    await clock.advance(8_000);
    expect(await slots.take(waiting)).toBe(true);
    const others = [run("a"), run("a")];
    expect(await takeAll(slots, others)).toBe(1);
    quotas["a"] = { runningSessions: 3 };
    await clock.advance(2_000);
    expect(others[1]?.nudges).toBe(1);
    await clock.advance(60_000);
    expect(await open().take(run("a"))).toBe(false);
    slots.close();
    expect(clock.timers()).toBe(0);
  });

  it("never gives more than there is, nor more than is fair, and leaves nothing free that somebody may have", async () => {
    const orgs = ["a", "b", "c"] as const;
    const begin = fc.record({
      do: fc.constant("begin" as const),
      org: fc.constantFrom(...orgs),
      owner: fc.constantFrom("ada", "ben"),
    });
    const end = fc.record({ do: fc.constant("end" as const), which: fc.nat(100) });
    const script = fc.array(fc.oneof({ weight: 3, arbitrary: begin }, { weight: 2, arbitrary: end }), {
      maxLength: 80,
    });
    const sizes = fc.integer({ min: 1, max: 12 });
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.option(fc.integer({ min: 0, max: 4 })),
        script,
        async (size, quota, steps) => {
          const { open, run } = rig({ size, quotas: { a: { runningSessions: quota } } });
          const slots = open();
          const most = (orgId: string) =>
            Math.min(Math.max(1, Math.floor(0.8 * size)), orgId === "a" ? (quota ?? size) : size);
          let all: Run[] = [];
          for (const step of steps) {
            if (step.do === "begin") {
              const made = run(step.org, step.owner);
              all.push(made);
              await slots.take(made);
            } else if (all.length > 0) {
              const gone = all[step.which % all.length];
              if (gone !== undefined) slots.leave(gone);
              all = all.filter((one) => one !== gone);
            }
            await settle();
            const holding = all.filter((one) => slots.has(one));
            expect(holding.length).toBeLessThanOrEqual(size);
            for (const orgId of orgs) {
              const own = holding.filter(({ held }) => held.orgId === orgId).length;
              expect(own).toBeLessThanOrEqual(most(orgId));
              const waits = all.some((one) => one.held.orgId === orgId && !slots.has(one));
              // Somebody waits only because there is nothing free, or because its organization has what it may have.
              expect(waits && own < most(orgId) && holding.length < size).toBe(false);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("shares out evenly what long runs would keep: who holds least is served first", async () => {
    const { open, run } = rig({ size: 10 });
    const slots = open();
    const a = Array.from({ length: 40 }, () => run("a"));
    const b = Array.from({ length: 40 }, () => run("b"));
    await takeAll(slots, a);
    await takeAll(slots, b);
    const holding = (runs: readonly Run[]) => runs.filter((one) => slots.has(one)).length;
    expect([holding(a), holding(b)]).toEqual([8, 2]);
    // Runs of a end, those of b never do.
    for (let i = 0; i < 3; i++) {
      const ended = a.find((one) => slots.has(one));
      if (ended !== undefined) slots.leave(ended);
      await settle();
    }
    expect([holding(a), holding(b)]).toEqual([5, 5]);
    const next = a.find((one) => slots.has(one));
    if (next !== undefined) slots.leave(next);
    await settle();
    expect([holding(a), holding(b)]).toEqual([5, 5]);
  });
});
