import type { Usage } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import type { ApprovalChange } from "../records.ts";
import { interrupt, leaseMs, noUsage, type OpenStore, useStore } from "./scene.conformance.ts";

const usage: Usage = { ...noUsage, inputTokens: 10, outputTokens: 3 };

function requested(id: string, runId: string, expiresAt: number): ApprovalChange {
  const asked = { runId, toolUseId: "tlu_1", tool: "bash_run", input: { command: "ls" }, inputHash: "h1" };
  return { op: "insert", row: { id, ...asked, path: ["helper"], createdAt: 1_000, expiresAt } };
}

export function projectionsConformance(open: OpenStore): void {
  describe("projections", () => {
    const scene = useStore(open);

    it("change only the fields that they name of a session", async () => {
      const session = await scene().held(1, { title: "T", metadata: { a: "1" }, key: "K" });
      await session.append(1, {
        projection: { session: { status: "running", currentRunId: "run_1", usage } },
      });
      expect(await session.store.find()).toMatchObject({
        title: "T",
        status: "running",
        currentRunId: "run_1",
        usage,
      });
      const agent = { id: "agt_9", version: 2, name: "nine" };
      const change = {
        title: null,
        metadata: {},
        model: "openai/x",
        agent,
        status: "idle",
        currentRunId: null,
      } as const;
      await session.append(1, { projection: { session: change } });
      expect(await session.store.find()).toMatchObject({ ...change, usage, key: "K" });
      expect((await session.scene.org.listSessions({ limit: 1, search: "t" })).items).toEqual([]);
      expect((await session.scene.org.listSessions({ limit: 1, search: "k" })).items).toHaveLength(1);
    });

    it("insert a run and change only the given fields of it", async () => {
      const session = await scene().held(1);
      const { org, clock } = session.scene;
      const id = newId("run");
      await session.append(1, { projection: { runs: [{ id, status: "running", startedAt: 5, cost: 0.5 }] } });
      const started = await org.findRun(id);
      expect(started).toEqual({
        orgId: session.scene.orgId,
        id,
        sessionId: session.sessionId,
        status: "running",
        reason: null,
        error: null,
        recovery: [],
        usage: noUsage,
        cost: 0.5,
        steps: 0,
        createdAt: clock.now(),
        startedAt: 5,
        finishedAt: null,
      });
      await session.append(1, { projection: { runs: [{ id, steps: 2, usage }] } });
      expect(await org.findRun(id)).toEqual({ ...started, steps: 2, usage });
      const error = { code: "x", message: "y", retryable: true };
      const recovery = [
        { action: "retry", label: "Again", request: { method: "POST", path: "/x" } },
      ] as const;
      const end = { status: "failed", reason: "error", error, recovery, cost: null, finishedAt: 9 } as const;
      await session.append(1, { projection: { runs: [{ id, ...end }] } });
      expect(await org.findRun(id)).toEqual({ ...started, steps: 2, usage, ...end });
    });

    it("do not touch a run of another session", async () => {
      const session = await scene().held(1);
      const other = await session.scene.held(1);
      const id = newId("run");
      await session.append(1, { projection: { runs: [{ id, status: "running" }] } });
      await other.append(1, { projection: { runs: [{ id, status: "failed" }] } });
      expect(await session.scene.org.findRun(id)).toMatchObject({
        sessionId: session.sessionId,
        status: "running",
      });
    });

    it("list runs newest first, by session and by status", async () => {
      const session = await scene().held(1);
      const other = await session.scene.held(1);
      const { org } = session.scene;
      const [a, b, c] = [newId("run"), newId("run"), newId("run")];
      await session.append(1, {
        projection: {
          runs: [
            { id: a, status: "completed" },
            { id: b, status: "running" },
          ],
        },
      });
      await other.append(1, { projection: { runs: [{ id: c, status: "running" }] } });
      const list = async (filter: object) =>
        (await org.listRuns({ limit: 10, ...filter })).items.map(({ id }) => id);
      const newest = (...ids: string[]) => ids.toSorted().toReversed();
      expect(await list({})).toEqual(newest(a, b, c));
      expect(await list({ sessionId: session.sessionId })).toEqual(newest(a, b));
      expect(await list({ status: "running" })).toEqual(newest(b, c));
      expect(await list({ status: "completed" })).toEqual([a]);
      expect(await list({ status: "running", sessionId: session.sessionId })).toEqual([b]);
      const page = await org.listRuns({ limit: 2 });
      expect(page.next).toBe(page.items[1]?.id);
      expect(await list({ after: page.next })).toEqual(newest(a, b, c).slice(2));
    });

    it("keep approvals, and their decision once it is in the log", async () => {
      const session = await scene().held(1);
      const { org, orgId } = session.scene;
      const [a, b] = [newId("approval"), newId("approval")];
      await session.append(1, {
        projection: { approvals: [requested(a, "run_1", 99), requested(b, "run_1", 99)] },
      });
      const pending = await org.findApproval(a);
      expect(pending).toEqual({
        orgId,
        id: a,
        sessionId: session.sessionId,
        runId: "run_1",
        toolUseId: "tlu_1",
        tool: "bash_run",
        input: { command: "ls" },
        inputHash: "h1",
        path: ["helper"],
        status: "pending",
        decidedBy: null,
        note: null,
        createdAt: 1_000,
        expiresAt: 99,
        decidedAt: null,
      });
      const decision = { decidedBy: "usr_2", note: "careful", decidedAt: 50 };
      const edited = {
        op: "decide",
        id: a,
        status: "edited",
        ...decision,
        input: null,
        inputHash: "h2",
      } as const;
      const denied = { op: "decide", id: b, status: "denied", ...decision } as const;
      await session.append(1, { projection: { approvals: [edited, denied] } });
      expect(await org.findApproval(a)).toEqual({
        ...pending,
        ...decision,
        status: "edited",
        input: null,
        inputHash: "h2",
      });
      expect(await org.findApproval(b)).toEqual({ ...pending, ...decision, id: b, status: "denied" });
    });

    it("list approvals newest first, by session and by status", async () => {
      const session = await scene().held(1);
      const other = await session.scene.held(1);
      const { org } = session.scene;
      const [a, b, c] = [newId("approval"), newId("approval"), newId("approval")];
      await session.append(1, {
        projection: { approvals: [requested(a, "run_1", 9), requested(b, "run_1", 9)] },
      });
      await other.append(1, { projection: { approvals: [requested(c, "run_2", 9)] } });
      const gone = {
        op: "decide",
        id: b,
        status: "expired",
        decidedBy: null,
        note: null,
        decidedAt: 9,
      } as const;
      await session.append(1, { projection: { approvals: [gone] } });
      const list = async (filter: object) =>
        (await org.listApprovals({ limit: 10, ...filter })).items.map(({ id }) => id);
      const newest = (...ids: string[]) => ids.toSorted().toReversed();
      expect(await list({ status: "pending" })).toEqual(newest(a, c));
      expect(await list({ status: "expired" })).toEqual([b]);
      expect(await list({ sessionId: session.sessionId })).toEqual(newest(a, b));
      const page = await org.listApprovals({ limit: 1 });
      expect(await list({ after: page.next })).toEqual(newest(a, b, c).slice(1));
    });

    it("go with the session", async () => {
      const session = await scene().held(1);
      const [run, approval] = [newId("run"), newId("approval")];
      const approvals = [requested(approval, run, 9)];
      await session.append(1, { projection: { runs: [{ id: run, status: "running" }], approvals } });
      await session.scene.org.deleteSession(session.sessionId);
      expect(await session.scene.org.findRun(run)).toBeNull();
      expect(await session.scene.org.findApproval(approval)).toBeNull();
    });
  });

  describe("timers", () => {
    const scene = useStore(open);

    it("I3: become one control input each when they are due, however full the mailbox is", async () => {
      const session = await scene().held(1);
      const { clock, store, orgId } = session.scene;
      const { sessionId } = session;
      const now = clock.now();
      const fire = (limit = 100) => store.system.fireTimers({ limit, inputId: () => newId("input") });
      const set = [
        { kind: "approval", ref: "apr_1", dueAt: now + 10 },
        { kind: "client_tool", ref: "tlu_1", dueAt: now + 20 },
        { kind: "approval", ref: "apr_2", dueAt: now + 20 },
        { kind: "approval", ref: "apr_3", dueAt: now + 30 },
      ] as const;
      await session.append(1, { projection: { timers: { set, clear: [] } } });
      await session.append(1, {
        projection: { timers: { set: [], clear: [{ kind: "approval", ref: "apr_2" }] } },
      });
      await session.store.accept({ inputs: [interrupt()] });
      expect(await fire()).toEqual([]);
      await clock.advance(10);
      expect(await fire()).toEqual([{ orgId, sessionId }]);
      expect(await fire()).toEqual([]);
      await clock.advance(20);
      expect(await fire(1)).toEqual([{ orgId, sessionId }]);
      expect(await fire()).toEqual([{ orgId, sessionId }]);
      const waiting = (await session.store.mailbox()).slice(1);
      expect(waiting.map(({ body }) => body)).toEqual([
        { type: "timer", kind: "approval", ref: "apr_1" },
        { type: "timer", kind: "client_tool", ref: "tlu_1" },
        { type: "timer", kind: "approval", ref: "apr_3" },
      ]);
      expect(waiting[0]).toMatchObject({ lane: "control", runId: null, actor: { type: "system" } });
      expect(new Set(waiting.map(({ position }) => position)).size).toBe(3);
    });

    it("may be set anew, go with the session, and wake one that only waits", async () => {
      const here = scene();
      const [session, gone] = [await here.held(1), await here.held(1)];
      const now = here.clock.now();
      const timer = { kind: "approval", ref: "apr_1" } as const;
      await session.append(1, { projection: { timers: { set: [{ ...timer, dueAt: now }], clear: [] } } });
      await session.append(1, {
        projection: {
          timers: { set: [{ ...timer, dueAt: now + 50 }], clear: [] },
          session: { status: "waiting" },
        },
      });
      await gone.append(1, { projection: { timers: { set: [{ ...timer, dueAt: now }], clear: [] } } });
      await here.org.deleteSession(gone.sessionId);
      expect(await session.release()).toBe(true);
      const fire = () => here.store.system.fireTimers({ limit: 10, inputId: () => newId("input") });
      const orphans = () => here.store.system.orphans({ leaseMs, limit: 1_000 });
      expect(await fire()).toEqual([]);
      const ref = { orgId: here.orgId, sessionId: session.sessionId };
      const orphan = { ...ref, owner: "usr_1" };
      expect(await orphans()).not.toContainEqual(orphan);
      await here.clock.advance(50);
      expect(await fire()).toEqual([ref]);
      expect(await orphans()).toContainEqual(orphan);
    });
  });
}
