import type { Budget, Page, UsageSum } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { newId } from "../../../src/lib/id.ts";
import { rolePermissions } from "../../../src/auth/permissions.ts";
import { type Api, type ApiOptions, stranger, useApi } from "../../support/http/api.ts";
import { pricedClient } from "../../support/runtime/priced-client.ts";
import { calls, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { echo } from "../../support/runtime/test-tools.ts";

const open = useApi();
const answer: NonNullable<ApiOptions["answer"]> = (call) =>
  turnOf(call) === 0 ? calls(["echo", { say: "hello" }]) : text("done");

async function start(agent: Parameters<Api["agent"]>[0] = {}): Promise<Api> {
  const api = await open({ answer, tools: [echo], overrides: { models: pricedClient(answer) } });
  await api.agent({ tools: ["echo"], ...agent });
  return api;
}

const ofOrg = { scope: "org", unit: "usd", period: "month", limit: 5 } as const;
const made = async (api: Api, body: object = {}) => {
  const reply = await api.post("/budgets", { ...ofOrg, ...body });
  expect([reply.status, reply.text]).toEqual([201, expect.any(String)]);
  return reply.json<Budget>();
};

async function audited(api: Api): Promise<readonly string[]> {
  const { items } = (await api.get("/audit-log")).json<Page<{ action: string }>>();
  return items.map(({ action }) => action).filter((action) => action.startsWith("budget."));
}

describe("budgets", () => {
  it("are made, shown, listed, changed and removed, each change with one audit entry", async () => {
    const api = await start();
    const budget = await made(api, { warnAt: 0.8 });
    expect(budget).toMatchObject({
      ...ofOrg,
      target: null,
      onLimit: "pause",
      warnAt: 0.8,
      spent: 0,
      reserved: 0,
      remaining: 5,
      waiting: 0,
      createdBy: "usr_test",
    });
    expect(Date.parse(budget.resetsAt ?? "")).toBeGreaterThan(Date.now());
    const agents = await made(api, {
      scope: "agent",
      target: "tester",
      unit: "tokens",
      period: "total",
      limit: 9,
    });
    expect(agents).toMatchObject({ scope: "agent", limit: 9, resetsAt: null });
    expect((await api.get(`/budgets/${budget.id}`)).json()).toEqual(budget);
    expect((await api.get("/budgets")).json<Page<Budget>>().items.map(({ id }) => id)).toEqual([
      agents.id,
      budget.id,
    ]);
    const listed = await api.get(`/budgets?scope=agent&target=${agents.target}`);
    expect(listed.json<Page<Budget>>().items.map(({ id }) => id)).toEqual([agents.id]);
    const changed = await api.patch(`/budgets/${budget.id}`, { limit: 7.5, onLimit: "deny" });
    expect(changed.json()).toMatchObject({ limit: 7.5, onLimit: "deny", warnAt: 0.8, remaining: 7.5 });
    expect((await api.delete(`/budgets/${budget.id}`)).status).toBe(204);
    expect((await api.get(`/budgets/${budget.id}`)).problem().code).toBe("budget_not_found");
    expect((await api.delete(`/budgets/${budget.id}`)).status).toBe(404);
    expect((await api.patch(`/budgets/${budget.id}`, { limit: 1 })).status).toBe(404);
    expect(await audited(api)).toEqual([
      "budget.removed",
      "budget.updated",
      "budget.created",
      "budget.created",
    ]);
  });

  it("refuse what makes no sense", async () => {
    const api = await start();
    const status = async (body: object) => (await api.post("/budgets", { ...ofOrg, ...body })).status;
    expect(await status({ target: "x" })).toBe(422);
    expect(await status({ scope: "agent" })).toBe(422);
    expect(await status({ limit: 0 })).toBe(422);
    expect(await status({ limit: -1 })).toBe(422);
    expect(await status({ unit: "tokens", limit: 1.5 })).toBe(422);
    expect(await status({ limit: 10_000_000 })).toBe(422);
    expect(await status({ orgId: newId("org") })).toBe(422);
    expect(await status({ warnAt: 2 })).toBe(422);
    for (const scope of ["user", "agent", "session", "run"] as const) {
      const kinds = { user: "user", agent: "agent", session: "session", run: "run" } as const;
      const reply = await api.post("/budgets", { ...ofOrg, scope, target: newId(kinds[scope]) });
      expect([reply.status, reply.problem().code]).toEqual([422, "unknown_target"]);
    }
    const { id } = await made(api, { unit: "tokens", limit: 5 });
    expect((await api.patch(`/budgets/${id}`, { limit: 1.5 })).status).toBe(422);
    expect((await api.patch(`/budgets/${id}`, {})).status).toBe(422);
  });

  it("are made once for one Idempotency-Key", async () => {
    const api = await start();
    const headers = { "idempotency-key": "once" };
    const first = await api.post("/budgets", ofOrg, { headers });
    const again = await api.post("/budgets", ofOrg, { headers });
    expect(again.json()).toEqual(first.json());
    expect(await audited(api)).toEqual(["budget.created"]);
  });

  it("of money want a price of every model that they count, or a budget of tokens", async () => {
    const api = await start({ fallbackModels: ["free/model"] });
    const reply = await api.post("/budgets", ofOrg);
    expect([reply.status, reply.problem().code]).toEqual([422, "model_not_priced"]);
    expect(reply.problem().detail).toContain("free/model");
    await made(api, { onLimit: "warn" });
    await made(api, { unit: "tokens", limit: 1_000 });
    await made(api);
  });

  it("of money want a price from agents and sessions, too", async () => {
    const api = await start({ model: "free/model" });
    const session = await api.session();
    for (const [scope, target] of [
      ["agent", "tester"],
      ["session", session.id],
      ["org", undefined],
    ])
      expect((await api.post("/budgets", { ...ofOrg, scope, ...(target && { target }) })).status).toBe(422);
    await made(api, { scope: "session", target: session.id, unit: "tokens", limit: 100 });
    await made(api, { scope: "session", target: session.id });
  });

  it("of money keep agents from being written whose models have no price", async () => {
    const api = await start();
    await made(api);
    const reply = await api.post("/agents", { name: "other", model: "free/model" });
    expect([reply.status, reply.problem().code]).toEqual([422, "model_not_priced"]);
    const put = await api.put("/agents/tester", { name: "tester", model: "free/model" });
    expect([put.status, put.problem().code]).toEqual([422, "model_not_priced"]);
    expect((await api.put("/agents/tester", { name: "tester", model: "test/model" })).status).toBe(200);
  });

  it("AGT-06: hold a run until they are raised, and the run says which and why", async () => {
    const api = await start();
    const session = await api.session();
    const budget = await made(api, { scope: "session", target: session.id, limit: 0.01, period: "total" });
    const sent = await api.say(session.id, "hi");
    const reached = await api.until(session.id, "budget.reached");
    expect(reached.data.budgets).toEqual([
      {
        budgetId: budget.id,
        scope: "session",
        target: session.id,
        unit: "usd",
        period: "total",
        limit: 0.01,
        spent: 0.015,
        onLimit: "pause",
        resetsAt: null,
      },
    ]);
    const runId = sent.inputs[0]?.runId ?? "";
    expect((await api.get(`/runs/${runId}`)).json()).toMatchObject({ status: "waiting" });
    expect((await api.get(`/sessions/${session.id}`)).json()).toMatchObject({ status: "waiting" });
    expect((await api.get(`/budgets/${budget.id}`)).json()).toMatchObject({ waiting: 1, remaining: 0 });
    await api.patch(`/budgets/${budget.id}`, { limit: 1 });
    expect((await api.until(session.id, "run.finished")).data.reason).toBe("end_turn");
    expect((await api.get(`/budgets/${budget.id}`)).json()).toMatchObject({ waiting: 0, spent: 0.03 });
  });

  it("let one run go on beyond them, and its recovery works after they have ended it", async () => {
    const api = await start();
    const session = await api.session();
    const budget = await made(api, { limit: 0.01, onLimit: "deny" });
    await api.say(session.id, "hi");
    const { recovery = [] } = (await api.until(session.id, "run.finished")).data;
    expect(recovery.map(({ action }) => action)).toEqual(["raise_limit", "retry", "fork"]);
    for (const { request } of recovery.slice(0, 2)) {
      const reply = await api.send(request.method, request.path, { body: request.body ?? {} });
      expect(reply.status).toBeLessThan(300);
    }
    const log = await api.harness.finished(session.id, 2);
    expect(log.at(-1)).toMatchObject({ data: { reason: "end_turn" } });
    await api.patch(`/budgets/${budget.id}`, { limit: 0.01, onLimit: "pause" });
    const sent = await api.say(session.id, "more");
    await api.until(session.id, "budget.reached");
    const runId = sent.inputs[0]?.runId ?? "";
    const allowed = await api.post(`/budgets/${budget.id}/allowances`, { runId, amount: 1 });
    expect([allowed.status, allowed.json<Budget>().limit]).toEqual([200, 0.01]);
    expect((await api.harness.finished(session.id, 3)).at(-1)).toMatchObject({
      data: { reason: "end_turn" },
    });
    const late = await api.post(`/budgets/${budget.id}/allowances`, { runId, amount: 1 });
    expect(late.problem().code).toBe("unknown_target");
  });

  it("API-01: are not there for another organization, and not for who may not read or write them", async () => {
    const api = await start();
    const { id } = await made(api);
    const fetch = api.appFor(stranger());
    const unknown = newId("budget");
    for (const [method, path, body] of [
      ["GET", "", undefined],
      ["PATCH", "", { limit: 1 }],
      ["DELETE", "", undefined],
      ["POST", "/allowances", { runId: newId("run"), amount: 1 }],
    ] as const) {
      const theirs = await api.send(method, `/api/v1/budgets/${id}${path}`, { fetch, body });
      const none = await api.send(method, `/api/v1/budgets/${unknown}${path}`, { fetch, body });
      expect([theirs.status, none.status]).toEqual([404, 404]);
      expect(theirs.problem().code).toBe(none.problem().code);
      expect(theirs.problem().detail?.replace(id, unknown)).toBe(none.problem().detail);
    }
    expect((await api.get("/budgets", { fetch })).json<Page<Budget>>().items).toEqual([]);
    const member = api.appFor({ ...api.principal, permissions: rolePermissions.member });
    expect((await api.get("/budgets", { fetch: member })).status).toBe(403);
    expect((await api.post("/budgets", ofOrg, { fetch: member })).status).toBe(403);
  });
});

describe("usage", () => {
  it("is summed by day, user, agent, model and tool, and within a session by run", async () => {
    const api = await start();
    const session = await api.session({ input: "hi" });
    await api.until(session.id, "run.finished");
    const sums = async (query: string) => (await api.get(`/usage?${query}`)).json<Page<UsageSum>>().items;
    const day = new Date().toISOString().slice(0, 10);
    const usage = { inputTokens: 20, outputTokens: 10 };
    expect(await sums("")).toMatchObject([
      { key: day, modelCalls: 2, toolCalls: 1, failedCalls: 0, estimatedCalls: 0, cost: 0.03, usage },
    ]);
    expect(await sums("groupBy=user")).toMatchObject([{ key: "usr_test", modelCalls: 2 }]);
    expect(await sums("groupBy=agent")).toMatchObject([{ name: "tester", modelCalls: 2, toolCalls: 1 }]);
    expect(await sums("groupBy=model&agent=tester")).toMatchObject([
      { key: "test/model", modelCalls: 2, toolCalls: 0 },
    ]);
    expect(await sums("groupBy=tool")).toMatchObject([{ key: "echo", modelCalls: 0, toolCalls: 1 }]);
    expect(await sums(`groupBy=run&sessionId=${session.id}`)).toMatchObject([
      { modelCalls: 2, toolCalls: 1 },
    ]);
    expect(await sums("user=usr_nobody")).toEqual([]);
    expect(await sums("until=2000-01-01")).toEqual([]);
    expect((await api.get("/usage?groupBy=run")).status).toBe(422);
  });

  it("of others needs usage:read, one's own does not", async () => {
    const api = await start();
    const session = await api.session({ input: "hi" });
    await api.until(session.id, "run.finished");
    const viewer = { ...api.principal, permissions: rolePermissions.viewer };
    const own = api.appFor(viewer);
    const other = api.appFor({ ...viewer, id: "usr_other" });
    const items = async (fetch: typeof own, query = "") =>
      (await api.get(`/usage${query}`, { fetch })).json<Page<UsageSum>>().items;
    expect(await items(own)).toHaveLength(1);
    expect(await items(own, "?groupBy=user")).toMatchObject([{ key: "usr_test" }]);
    expect(await items(other)).toEqual([]);
    expect(await items(other, `?groupBy=run&sessionId=${session.id}`)).toEqual([]);
    expect((await api.get("/usage?user=usr_test", { fetch: other })).status).toBe(403);
    expect((await api.get("/usage?user=usr_test", { fetch: own })).status).toBe(200);
    expect(await items(api.appFor(stranger()))).toEqual([]);
  });
});
