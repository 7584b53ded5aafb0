import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import { begin, budget, counted, end, reserve, spent, whyNot } from "./budget-scene.conformance.ts";
import { type HeldSession, type OpenStore, type Scene, useStore } from "./scene.conformance.ts";

const day = 86_400_000;

export function budgetsConformance(open: OpenStore): void {
  describe("budgets", () => {
    const scene = useStore(open);

    async function bothAt(
      limit: number,
    ): Promise<{ here: Scene; a: HeldSession; b: HeldSession; id: string }> {
      const here = scene();
      const { id } = await budget(here, { amount: limit });
      return { here, a: await here.held(), b: await here.held(), id };
    }

    it("I15: let calls begin while anything is left, and count what they came to", async () => {
      const { here, a, b, id } = await bothAt(100);
      const [first, second, third] = [reserve(here, 80), reserve(here, 80), reserve(here, 1)];
      expect(whyNot(await begin(a, first))).toBe("ok");
      expect(await counted(here, { id })).toEqual([0, 80]);
      expect(whyNot(await begin(b, second))).toBe("ok");
      expect(await counted(here, { id })).toEqual([0, 160]);
      expect(whyNot(await begin(b, third))).toBe("busy");
      await end(a, spent(first, 30));
      expect(await counted(here, { id })).toEqual([30, 80]);
      await end(b, spent(second, 70));
      expect(await counted(here, { id })).toEqual([100, 0]);
      expect(whyNot(await begin(b, third))).toBe("reached");
    });

    it("write nothing of a commit whose call they refuse, and say what is in its way", async () => {
      const { here, a, id } = await bothAt(10);
      const call = reserve(here, 10);
      await begin(a, call);
      const settles = [spent(call, 10)];
      const outcome = await a.append(2, { settles, reserves: [reserve(here, 5)] });
      expect(outcome).toEqual({
        ok: false,
        reason: "budget",
        blocking: [
          { why: "reached", budget: expect.objectContaining({ id, spent: 10, reserved: 0, amount: 10 }) },
        ],
      });
      expect(await a.logged()).toEqual([1, 2]);
      expect(await counted(here, { id })).toEqual([0, 10]);
      expect(whyNot(await a.append(2, { settles }))).toBe("ok");
      expect(await counted(here, { id })).toEqual([10, 0]);
    });

    it("judge a call after what its own commit settles, and calls of one commit one after the other", async () => {
      const { here, a } = await bothAt(100);
      const call = reserve(here, 100);
      await begin(a, call);
      expect(whyNot(await a.append(1, { settles: [spent(call, 1)], reserves: [reserve(here, 99)] }))).toBe(
        "ok",
      );
      const { a: other, here: there } = await bothAt(100);
      expect(whyNot(await begin(other, reserve(there, 100), reserve(there, 1)))).toBe("busy");
    });

    it("count a call to its organization, user, agents, session and run, and to no others", async () => {
      const here = scene();
      const session = await here.held();
      const { sessionId: target } = session;
      const mine = [
        await budget(here),
        await budget(here, { scope: "user", target: "usr_1" }),
        await budget(here, { scope: "agent", target: "agt_1" }),
        await budget(here, { scope: "agent", target: "agt_parent" }),
        await budget(here, { scope: "session", target }),
        await budget(here, { scope: "run", target: "run_1" }),
      ];
      const others = [
        await budget(here, { scope: "user", target: "usr_2" }),
        await budget(here, { scope: "agent", target: "agt_10" }),
        await budget(here, { scope: "session", target: newId("session") }),
        await budget(here, { scope: "run", target: "run_2" }),
      ];
      const call = reserve(here, 7, { agents: ["agt_1", "agt_parent"] });
      await begin(session, call);
      for (const one of mine) expect(await counted(here, one)).toEqual([0, 7]);
      await end(session, spent(call, 5));
      for (const one of mine) expect(await counted(here, one)).toEqual([5, 0]);
      for (const one of others) expect(await counted(here, one)).toEqual([0, 0]);
    });

    it("count at their creation what the ledger holds of their period, and the calls under way", async () => {
      const here = scene();
      await budget(here, { amount: 10_000 });
      const session = await here.held();
      const calls = [
        reserve(here, 10),
        reserve(here, 20),
        reserve(here, 40),
        reserve(here, 3, { owner: "usr_2" }),
      ];
      const [first, second, third, fourth] = calls;
      await begin(session, ...calls);
      if (first && second && fourth)
        await end(session, spent(first, 10), spent(second, 15), spent(fourth, 3));
      expect(third).toBeDefined();
      const { sessionId: target } = session;
      expect(await counted(here, await budget(here))).toEqual([28, 40]);
      expect(await counted(here, await budget(here, { unit: "usd" }))).toEqual([280, 400]);
      expect(await counted(here, await budget(here, { scope: "user", target: "usr_1" }))).toEqual([25, 40]);
      expect(await counted(here, await budget(here, { scope: "agent", target: "agt_1" }))).toEqual([28, 40]);
      expect(await counted(here, await budget(here, { scope: "session", target, period: "day" }))).toEqual([
        28, 40,
      ]);
      await here.clock.advance(day);
      expect(await counted(here, await budget(here, { period: "day" }))).toEqual([0, 0]);
      expect(await counted(here, await budget(here))).toEqual([28, 40]);
    });

    it("count a call in the period in which it began, and begin each period anew", async () => {
      const here = scene();
      const { id } = await budget(here, { period: "day", amount: 10 });
      const month = await budget(here, { period: "month", amount: 1_000 });
      const session = await here.held();
      const call = reserve(here, 10);
      await begin(session, call);
      await here.clock.advance(day);
      expect(await counted(here, { id })).toEqual([0, 0]);
      await end(session, spent(call, 10));
      expect(await counted(here, { id })).toEqual([0, 0]);
      expect(await counted(here, month)).toEqual([10, 0]);
      const next = reserve(here, 10);
      expect(whyNot(await begin(session, next))).toBe("ok");
      await end(session, spent(next, 10));
      expect(whyNot(await begin(session, reserve(here, 1)))).toBe("reached");
    });

    it("hold money and tokens apart, and want a price or a budget of tokens where they count money", async () => {
      const here = scene();
      const session = await here.held();
      const money = await budget(here, { unit: "usd", amount: 100 });
      const unpriced = reserve(here, 5, { cost: null });
      expect(whyNot(await begin(session, unpriced))).toBe("unpriced");
      await budget(here, { scope: "agent", target: "agt_1", amount: 50 });
      expect(whyNot(await begin(session, unpriced))).toBe("ok");
      await end(session, spent(unpriced, 5, { cost: null }));
      expect(await counted(here, money)).toEqual([0, 0]);
    });

    it("only tell of what goes beyond them when they warn", async () => {
      const here = scene();
      const session = await here.held();
      const warns = await budget(here, { onLimit: "warn", amount: 10 });
      const shares = await budget(here, { amount: 20, warnAt: 0.5 });
      const call = reserve(here, 10);
      expect(await begin(session, call)).toEqual({ ok: true });
      await end(session, spent(call, 10));
      const outcome = await begin(session, reserve(here, 1));
      const found = outcome.ok ? (outcome.overruns ?? []) : [];
      expect(new Map(found.map(({ level, budget: { id } }) => [id, level]))).toEqual(
        new Map([
          [warns.id, "limit"],
          [shares.id, "share"],
        ]),
      );
    });

    it("say fenced to whoever does not hold the session, also about calls that no event tells of", async () => {
      const { here, a } = await bothAt(100);
      const { sessionId } = a;
      const calls = { orgId: here.orgId, sessionId, settles: [], reserves: [reserve(here, 1)] };
      expect(whyNot(await here.store.lane.reserve({ ...calls, epoch: a.epoch }))).toBe("ok");
      await here.hold(sessionId, a.workerId);
      expect(whyNot(await here.store.lane.reserve({ ...calls, epoch: a.epoch }))).toBe("fenced");
      expect(whyNot(await begin(a, reserve(here, 1)))).toBe("fenced");
    });

    it("reserve beside the log without progress of the session", async () => {
      const { here, a, id } = await bothAt(10);
      const { sessionId, workerId } = a;
      const again = await here.claim(sessionId, workerId);
      const epoch = again.ok ? again.epoch : 0;
      const call = reserve(here, 10);
      const ref = { orgId: here.orgId, sessionId, epoch };
      expect(whyNot(await here.store.lane.reserve({ ...ref, settles: [], reserves: [call] }))).toBe("ok");
      expect(
        whyNot(await here.store.lane.reserve({ ...ref, settles: [], reserves: [reserve(here, 1)] })),
      ).toBe("busy");
      const settles = [spent(call, 4)];
      expect(whyNot(await here.store.lane.reserve({ ...ref, settles, reserves: [reserve(here, 6)] }))).toBe(
        "ok",
      );
      expect(await counted(here, { id })).toEqual([4, 6]);
      const third = await here.claim(sessionId, workerId);
      expect(third).toMatchObject({ ok: true, claimsWithoutEvent: 3 });
    });
  });
}
