import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import { begin, budget, counted, end, reserve, spent, told, whyNot } from "./budget-scene.conformance.ts";
import { type HeldSession, message, type OpenStore, type Scene, useStore } from "./scene.conformance.ts";

const day = 86_400_000;

/** Commits that the session's run waits for budgets, as `budget.reached` does. */
const pause = (session: HeldSession, ids: readonly string[], runId = "run_1") =>
  session.append(1, {
    projection: { session: { status: "waiting", currentRunId: runId }, budgetWaits: ids },
  });

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

  describe("budgets and lost calls", () => {
    const scene = useStore(open);

    async function underWay() {
      const here = scene();
      const { id } = await budget(here, { amount: 1_000 });
      const session = await here.held();
      const call = reserve(here, 60);
      await begin(session, call);
      return { here, session, call, id };
    }

    it("count a call that its worker lost as what was reserved for it, once, at the next claim", async () => {
      const { here, session, call, id } = await underWay();
      const next = await here.hold(session.sessionId, session.workerId);
      expect(await counted(here, { id })).toEqual([60, 0]);
      const again = { ...call, inputTokens: 50 };
      expect(whyNot(await begin(next, again))).toBe("ok");
      await end(next, spent(again, 20));
      expect(await counted(here, { id })).toEqual([80, 0]);
      const { items } = await here.org.usage.sum({ groupBy: "model", limit: 10 });
      expect(items).toMatchObject([
        { modelCalls: 2, estimated: 1, failed: 1, usage: { inputTokens: 80 }, cost: 800 },
      ]);
    });

    it("do the same when the session is quarantined or deleted", async () => {
      const { here, session, id } = await underWay();
      await here.store.system.quarantine(session.ref);
      expect(await counted(here, { id })).toEqual([60, 0]);
      const other = await underWay();
      await other.here.org.deleteSession(other.session.sessionId);
      expect(await counted(other.here, other)).toEqual([60, 0]);
      expect((await other.here.org.usage.sum({ groupBy: "user", limit: 10 })).items).toMatchObject([
        { key: "usr_1", modelCalls: 1 },
      ]);
    });

    it("take along the budgets of a session that is deleted, and of its runs", async () => {
      const here = scene();
      const session = await here.held();
      const input = message();
      await session.store.accept({ inputs: [input] });
      const { id } = await budget(here, { scope: "session", target: session.sessionId });
      const ofRun = await budget(here, { scope: "run", target: input.runId ?? "" });
      const stays = await budget(here);
      await here.org.deleteSession(session.sessionId);
      const found = await here.org.budgets.list({ limit: 10 });
      expect(found.items.map((one) => one.id)).toEqual([stays.id]);
      expect([id, ofRun.id]).not.toContain(stays.id);
    });

    it("forget the calls under way with the last budget, and write those to the ledger all the same", async () => {
      const { here, session, call, id } = await underWay();
      await here.org.budgets.remove({ id, audit: told("budget.removed") });
      await end(session, spent(call, 5));
      const next = await budget(here);
      expect(await counted(here, next)).toEqual([5, 0]);
    });
  });

  describe("runs that wait for budgets", () => {
    const scene = useStore(open);

    async function paused(...budgets: Parameters<typeof budget>[1][]) {
      const here = scene();
      const made = [];
      for (const one of budgets) made.push(await budget(here, { amount: 10, ...one }));
      const session = await here.held();
      const call = reserve(here, 10);
      await begin(session, call);
      await end(session, spent(call, 10));
      const ids = made.map(({ id }) => id);
      expect(whyNot(await pause(session, ids))).toBe("ok");
      return { here, session, ids, id: ids[0] ?? "" };
    }

    const bodies = async (session: HeldSession) =>
      (await session.store.mailbox()).map(({ body, lane }) => ({ ...body, lane }));

    it("are all told of a change, once, in its own transaction", async () => {
      const { here, session, id } = await paused({});
      const other = await here.held();
      await pause(other, [id]);
      expect((await here.org.budgets.find(id))?.waiting).toBe(2);
      const changed = await here.org.budgets.update({ id, amount: 50, audit: told("budget.updated") });
      expect(changed?.budget).toMatchObject({ amount: 50, spent: 10, waiting: 0 });
      expect(changed?.woken.map((one) => one.id).toSorted()).toEqual(
        [session.sessionId, other.sessionId].toSorted(),
      );
      const body = { type: "budget.released", cause: "changed", budgetId: id, lane: "control" };
      expect(await bodies(session)).toEqual([body]);
      expect(await bodies(other)).toEqual([body]);
      const again = await here.org.budgets.update({ id, amount: 60, audit: told("budget.updated") });
      expect(again?.woken).toEqual([]);
    });

    it("are told of a removal, and wait for another budget no longer than they say", async () => {
      const { here, session, ids } = await paused({}, { unit: "usd", amount: 100 });
      const [first = "", second = ""] = ids;
      const removed = await here.org.budgets.remove({ id: second, audit: told("budget.removed") });
      expect(removed?.woken.map((one) => one.id)).toEqual([session.sessionId]);
      expect(await bodies(session)).toEqual([
        { type: "budget.released", cause: "removed", budgetId: second, lane: "control" },
      ]);
      expect((await here.org.budgets.find(first))?.waiting).toBe(0);
      await pause(session, [first]);
      await pause(session, []);
      expect((await here.org.budgets.find(first))?.waiting).toBe(0);
    });

    it("do not begin to wait for a budget that was raised or removed since they met it", async () => {
      const { here, id } = await paused({});
      const late = await here.held();
      await here.org.budgets.update({ id, amount: 11, audit: told("budget.updated") });
      const outcome = await pause(late, [id]);
      expect(outcome).toEqual({ ok: false, reason: "budget", blocking: [] });
      expect(await late.logged()).toEqual([1]);
      await here.org.budgets.remove({ id, audit: told("budget.removed") });
      expect(whyNot(await pause(late, [id]))).toBe("");
      expect(whyNot(await pause(late, [id, (await paused({})).id]))).toBe("");
    });

    it("go on as far as somebody allows one of them, and no other", async () => {
      const { here, session, id } = await paused({});
      const input = message();
      await session.store.accept({ inputs: [input] });
      const runId = input.runId ?? "";
      await pause(session, [id], runId);
      const other = await here.held();
      await pause(other, [id], "run_other");
      const allowed = await here.org.budgets.allow({ id, runId, amount: 15, audit: told("budget.allowed") });
      expect(allowed?.woken.map((one) => one.id)).toEqual([session.sessionId]);
      const first = reserve(here, 9, { runId });
      expect(whyNot(await begin(session, first))).toBe("ok");
      expect(whyNot(await begin(other, reserve(here, 1, { runId: "run_other" })))).toBe("reached");
      await end(session, spent(first, 9));
      const second = reserve(here, 9, { runId });
      expect(whyNot(await begin(session, second))).toBe("ok");
      await end(session, spent(second, 9));
      expect(whyNot(await begin(session, reserve(here, 1, { runId })))).toBe("reached");
      expect(await counted(here, { id })).toEqual([28, 0]);
      const none = { id, runId: newId("run"), amount: 1, audit: told("budget.allowed") };
      expect(await here.org.budgets.allow(none)).toBeNull();
    });
  });

  describe("budgets of other orgs", () => {
    const scene = useStore(open);

    it("I10: are neither read, changed nor counted", async () => {
      const here = scene();
      const other = here.neighbour();
      const { id } = await budget(here, { amount: 10 });
      const session = await here.held();
      await pause(session, [id]);
      const audit = told("budget.updated");
      expect(await other.org.budgets.find(id)).toBeNull();
      expect((await other.org.budgets.list({ limit: 10 })).items).toEqual([]);
      expect(await other.org.budgets.limitedUnits([{ scope: "org", target: "" }])).toEqual(new Set());
      expect(await other.org.budgets.update({ id, amount: 1, audit })).toBeNull();
      expect(await other.org.budgets.remove({ id, audit })).toBeNull();
      expect(await other.org.budgets.allow({ id, runId: "run_1", amount: 1, audit })).toBeNull();
      const theirs = await other.held();
      const call = reserve(other, 50);
      expect(whyNot(await begin(theirs, call))).toBe("ok");
      await end(theirs, spent(call, 50));
      expect(await counted(here, { id })).toEqual([0, 0]);
      const own = await budget(other, { amount: 5, scope: "session", target: session.sessionId });
      expect(await counted(other, own)).toEqual([0, 0]);
      expect((await here.org.usage.sum({ groupBy: "user", limit: 10 })).items).toEqual([]);
      const { sessionId } = theirs;
      expect((await here.org.usage.sum({ groupBy: "run", sessionId, limit: 10 })).items).toEqual([]);
    });
  });
}
