import type { SessionEvent } from "@berth/contract";
import { afterEach, describe, expect, it } from "vitest";
import { addBudget, auditOf, findBudget, ledger, raise } from "../../support/runtime/budgets.ts";
import { Harness, type HarnessOptions } from "../../support/runtime/harness.ts";
import { pricedClient } from "../../support/runtime/priced-client.ts";
import { type Answer, calls, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { testTool } from "../../support/runtime/test-tools.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

async function open(answer: Answer, options: Partial<HarnessOptions> = {}): Promise<Harness> {
  const models = pricedClient(answer);
  harness = await Harness.open({ answer, ...options, overrides: { models, ...options.overrides } });
  return harness;
}

const has =
  (type: SessionEvent["type"], times = 1) =>
  (log: readonly SessionEvent[]) =>
    log.filter((event) => event.type === type).length >= times;
const typesOf = (log: readonly SessionEvent[]) => log.map(({ type }) => type);
const hello = () => text("Hello.");
/** Each answer of `text` and `calls` counts 15 tokens. */
const perCall = 15;

/** A tool call, then an answer. */
const twoCalls: Answer = (call) => (turnOf(call) === 0 ? calls(["echo", {}]) : text("ok"));
const echo = testTool("echo", () => ({ ok: true, content: "echoed" }));

const delegate = testTool("delegate", () => ({ ok: false, errorType: "runtime", message: "never" }));
const twoHelpers: Answer = (call) => {
  if (call.request.system.includes("You work on one task") || turnOf(call) > 0) return text("done");
  return calls(["delegate", { agent: "helper", task: "a" }], ["delegate", { agent: "helper", task: "b" }]);
};

describe("a run at a budget's limit", () => {
  it("AGT-06: waits without a slot, hibernates, and goes on when the budget is raised", async () => {
    const h = await open(twoCalls, { tools: [echo], settings: { concurrency: 1 } });
    const { id } = await addBudget(h, { amount: perCall });
    const agent = await h.agent({ tools: ["*"] });
    const [one, two] = [await h.session(agent), await h.session(agent)];
    await h.say(one, "hi");
    const paused = await h.until(one, has("budget.reached"));
    expect(paused.at(-1)).toMatchObject({
      type: "budget.reached",
      data: { budgets: [{ budgetId: id, limit: perCall, spent: perCall, onLimit: "pause" }] },
    });
    // The only slot is free again: the next run comes as far as its own wait.
    await h.say(two, "hi");
    await h.until(two, has("budget.reached"));
    const sessions = await h.context.store.org(h.orgId).listSessions({ limit: 10 });
    expect(sessions.items.map(({ status }) => status)).toEqual(["waiting", "waiting"]);
    for (const actor of h.worker.activation.all())
      expect(await h.worker.activation.evict(actor, "asked")).toBe(true);
    expect((await findBudget(h, id)).waiting).toBe(2);
    await raise(h, id, 1_000);
    for (const session of [one, two]) {
      const log = await h.finished(session);
      expect(log.at(-1)).toMatchObject({ type: "run.finished", data: { reason: "end_turn" } });
      expect(typesOf(log)).toContain("budget.released");
    }
    expect(await findBudget(h, id)).toMatchObject({ spent: 4 * perCall, reserved: 0, waiting: 0 });
  });

  it("AGT-06: ends with budget_reached, and says how to go on", async () => {
    const h = await open(twoCalls, { tools: [echo] });
    const { id } = await addBudget(h, { amount: 0.01e9, unit: "usd", onLimit: "deny", period: "day" });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    const { runId } = await h.say(session, "hi");
    const log = await h.finished(session);
    expect(log.at(-1)).toMatchObject({
      type: "run.finished",
      data: {
        reason: "budget_reached",
        error: {
          code: "budget_reached",
          message: "The organization's budget of 0.01 dollars for this day is used up.",
        },
        recovery: [
          {
            action: "raise_limit",
            request: { method: "PATCH", path: `/api/v1/budgets/${id}`, body: { limit: 0.03 } },
          },
          { action: "retry", request: { path: `/api/v1/runs/${runId}/retry` } },
          { action: "fork" },
        ],
      },
    });
    expect(await findBudget(h, id)).toMatchObject({ spent: 0.015e9, reserved: 0 });
  });

  it("goes on beyond one that warns, and is told of it once", async () => {
    const answer: Answer = (call) => (turnOf(call) < 4 ? calls(["echo", {}]) : text("ok"));
    const h = await open(answer, { tools: [echo] });
    const { id } = await addBudget(h, { amount: 20, onLimit: "warn", warnAt: 0.5 });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    const log = await h.finished(session);
    const warned = log.flatMap((event) => (event.type === "budget.warned" ? [event.data.level] : []));
    expect(warned).toEqual(["share", "limit"]);
    expect(log.at(-1)).toMatchObject({ data: { reason: "end_turn" } });
    expect(await findBudget(h, id)).toMatchObject({ spent: 5 * perCall, reserved: 0 });
  });

  it("can be cancelled while it waits", async () => {
    const h = await open(twoCalls, { tools: [echo] });
    const { id } = await addBudget(h, { amount: 1 });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    await h.until(session, has("budget.reached"));
    await h.send(session, { type: "user.interrupt" }, "control");
    const log = await h.finished(session);
    expect(log.at(-1)).toMatchObject({ data: { reason: "interrupted" } });
    expect(await findBudget(h, id)).toMatchObject({ spent: perCall, reserved: 0, waiting: 0 });
  });

  it("looks again when a period ends, and when somebody lets it go on", async () => {
    const h = await open(twoCalls, { tools: [echo] });
    const { id } = await addBudget(h, { amount: 1, period: "day" });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    const { runId } = await h.say(session, "hi");
    await h.until(session, has("budget.reached"));
    await h.send(session, { type: "timer", kind: "budget", ref: runId ?? "" }, "control");
    const again = await h.until(session, has("budget.reached", 2));
    expect(again.find(({ type }) => type === "budget.released")).toMatchObject({ data: { cause: "period" } });
    const { budgets } = h.context.store.org(h.orgId);
    await budgets.allow({ id, runId: runId ?? "", amount: 5, audit: auditOf("budget.allowed") });
    await h.context.queue.push({ orgId: h.orgId, sessionId: session });
    const log = await h.finished(session);
    expect(log.at(-1)).toMatchObject({ data: { reason: "end_turn" } });
  });

  it("ends with an error when a model that it may call has no price and only money is counted", async () => {
    const h = await open(hello);
    await addBudget(h, { amount: 1e9, unit: "usd" });
    const session = await h.session(await h.agent({ fallbackModels: ["free/model"] }));
    await h.say(session, "hi");
    const log = await h.finished(session);
    expect(log.at(-1)).toMatchObject({
      data: { reason: "error", error: { code: "model_not_priced", retryable: false } },
    });
    await addBudget(h, { amount: 1_000, scope: "session", target: session });
    await h.say(session, "again");
    expect((await h.finished(session, 2)).at(-1)).toMatchObject({ data: { reason: "end_turn" } });
  });

  it("counts its own limit of dollars, too", async () => {
    const h = await open(twoCalls, { tools: [echo] });
    const session = await h.session(await h.agent({ tools: ["*"], limits: { maxCost: 0.01 } }));
    await h.say(session, "hi");
    const log = await h.finished(session);
    expect(log.at(-1)).toMatchObject({
      data: { reason: "limit_reached", recovery: [{ request: { body: { limits: { maxCost: 0.02 } } } }, {}] },
    });
  });
});

describe("calls that count to budgets", () => {
  it("are those of sub-agents, to their own agent and to those above it", async () => {
    const h = await open(twoHelpers, { tools: [delegate] });
    const helper = await h.agent({ name: "helper" });
    const parent = await h.agent({ subagents: ["helper"] });
    const own = await addBudget(h, { amount: 10_000, scope: "agent", target: helper.id });
    const whole = await addBudget(h, { amount: 10_000, scope: "agent", target: parent.id });
    const session = await h.session(parent);
    await h.say(session, "hi");
    await h.finished(session);
    expect((await findBudget(h, own.id)).spent).toBe(2 * perCall);
    expect((await findBudget(h, whole.id)).spent).toBe(4 * perCall);
  });

  it("of sub-agents wait for each other when there is room for one, and all are made", async () => {
    const h = await open(twoHelpers, { tools: [delegate] });
    await h.agent({ name: "helper" });
    const session = await h.session(await h.agent({ subagents: ["helper"] }));
    const { id } = await addBudget(h, { amount: 4 * perCall });
    await h.say(session, "hi");
    const log = await h.finished(session);
    expect(log.at(-1)).toMatchObject({ data: { reason: "end_turn", steps: 4 } });
    expect(await findBudget(h, id)).toMatchObject({ spent: 4 * perCall, reserved: 0 });
  });

  it("are those of compactions", async () => {
    const h = await open((call) => {
      if (call.request.system.includes("You write the summary")) return text("They talked.");
      // Without the provider's own count, which would be that of a real one.
      return text("a".repeat(2_000)).filter((part) => part.type !== "usage");
    });
    const { id } = await addBudget(h, { amount: 1_000_000 });
    const session = await h.session(await h.agent({ contextWindow: 2_000 }));
    for (let run = 1; run <= 6; run++) {
      await h.say(session, `turn ${run}`);
      await h.finished(session, run);
    }
    const log = await h.log(session);
    const compactions = log.filter(({ type }) => type === "context.compacted").length;
    expect(compactions).toBeGreaterThan(0);
    const [sum] = await ledger(h);
    expect(sum).toMatchObject({ modelCalls: 6 + compactions, estimated: 6 });
    const { inputTokens = 0, outputTokens = 0 } = sum?.usage ?? {};
    expect(await findBudget(h, id)).toMatchObject({ spent: inputTokens + outputTokens, reserved: 0 });
  });

  it("are in the ledger without any budget, tools beside models", async () => {
    const h = await open(twoCalls, { tools: [echo] });
    const agent = await h.agent({ tools: ["*"] });
    const session = await h.session(agent);
    await h.say(session, "hi");
    await h.finished(session);
    expect(await ledger(h)).toMatchObject([
      {
        key: "test/model",
        modelCalls: 2,
        toolCalls: 0,
        cost: 0.03e9,
        usage: { inputTokens: 20, outputTokens: 10 },
      },
    ]);
    expect(await ledger(h, "tool")).toMatchObject([{ key: "echo", modelCalls: 0, toolCalls: 1, failed: 0 }]);
    const { usage } = h.context.store.org(h.orgId);
    const byRun = await usage.sum({ groupBy: "run", sessionId: session, limit: 10 });
    expect(byRun.items).toMatchObject([{ modelCalls: 2, toolCalls: 1 }]);
    const byAgent = await usage.sum({ groupBy: "agent", limit: 10 });
    expect(byAgent.items).toMatchObject([{ key: agent.id, modelCalls: 2 }]);
  });
});

describe("concurrent runs at one budget", () => {
  it("I15, AGT-06: exceed it by one call's reserve at most, and count what the ledger has", async () => {
    const h = await open(hello);
    const { id } = await addBudget(h, { amount: 5 * perCall });
    const agent = await h.agent();
    const sessions = await Promise.all(Array.from({ length: 12 }, () => h.session(agent)));
    await Promise.all(sessions.map((session) => h.say(session, "hi")));
    for (const session of sessions)
      await h.until(session, (log) => has("budget.reached")(log) || has("run.finished")(log));
    const found = await findBudget(h, id);
    const [sum] = await ledger(h);
    expect(found).toMatchObject({ spent: 5 * perCall, reserved: 0, waiting: 7 });
    expect(sum?.modelCalls).toBe(5);
    await raise(h, id, 12 * perCall);
    for (const session of sessions) await h.finished(session);
    expect(await findBudget(h, id)).toMatchObject({ spent: 12 * perCall, reserved: 0, waiting: 0 });
  });
});
