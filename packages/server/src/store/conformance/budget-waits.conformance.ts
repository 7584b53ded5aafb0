import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import { begin, budget, counted, end, reserve, spent, told, whyNot } from "./budget-scene.conformance.ts";
import { type HeldSession, message, type OpenStore, useStore } from "./scene.conformance.ts";

/** Commits that the session's run waits for budgets, as `budget.reached` does. */
const pause = (session: HeldSession, ids: readonly string[], runId = "run_1") =>
  session.append(1, {
    projection: { session: { status: "waiting", currentRunId: runId }, budgetWaits: ids },
  });

export function budgetWaitsConformance(open: OpenStore): void {
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
