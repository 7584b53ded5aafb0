import { describe, expect, it } from "vitest";
import { context, input } from "../../test/support/session/inputs.ts";
import { epochMs, idOf, isoAt } from "../../test/support/session/ids.ts";
import {
  budgetReached,
  call,
  client,
  delegation,
  limits,
  story,
  type Story,
} from "../../test/support/session/story.ts";
import { breakpointOf } from "./breakpoint.ts";
import { decideInput } from "./decide-input.ts";
import { finishRun } from "./decide-run.ts";
import { isWaiting, nextStep, type Policy } from "./next-step.ts";
import { project } from "./project.ts";
import { fold } from "./fold.ts";
import { statusOf } from "./state.ts";

const policy: Policy = { now: epochMs, contextWindow: () => 100_000, inFlight: new Set() };
const next = (told: Story, change: Partial<Policy> = {}) => nextStep(told.state, { ...policy, ...change });
const paused = (change: Parameters<typeof budgetReached>[0] = {}) =>
  story().message("hi").add(budgetReached(change));
const releases = { type: "budget.released", cause: "changed", budgetId: idOf("budget", 1) } as const;
const released = {
  type: "budget.released",
  data: { cause: "changed", budgetId: idOf("budget", 1) },
} as const;

/** What the last `count` events of a story changed in the lists. */
function projected({ events }: Story, count = 1) {
  const before = fold(events.slice(0, -count));
  return project(before, events.slice(-count), fold(events));
}

describe("a run that waits for a budget", () => {
  it("begins no model call until it is released, and waits", () => {
    const told = paused();
    expect(next(told)).toEqual([{ type: "wait" }]);
    expect([isWaiting(told.state), statusOf(told.state)]).toEqual([true, "waiting"]);
    expect(breakpointOf(told.state)).toBe("pre_model");
    told.add(released);
    expect(next(told)).toEqual([{ type: "begin_step", namespace: "" }]);
    expect([isWaiting(told.state), statusOf(told.state)]).toEqual([false, "running"]);
  });

  it("does not call its model again for a step that a crash left open", () => {
    const told = story().message("hi").think().add(budgetReached());
    expect(next(told)).toEqual([{ type: "wait" }]);
    expect(isWaiting(told.state)).toBe(true);
    expect(next(told.add(released))).toMatchObject([{ type: "call_model" }]);
  });

  it("lets its tools and sub-agents' waits go on", () => {
    const told = story().message("hi").think().answer(call(1, delegation), call(2, client));
    told.delegates(1).add(budgetReached());
    expect(next(told)).toEqual([{ type: "request_input", namespace: "", toolUseId: idOf("toolUse", 2) }]);
    expect(isWaiting(told.state)).toBe(false);
    expect(isWaiting(told.requests(2).state)).toBe(true);
  });

  it("does not use up its time", () => {
    const told = paused()
      .later(10 * limits.maxDurationMs)
      .add(released);
    expect(next(told, { now: told.now })).toEqual([{ type: "begin_step", namespace: "" }]);
  });

  it("is released by an input, which is refused when nobody waits", () => {
    const told = paused();
    const { events, taken } = decideInput(told.state, input(1, releases), context());
    expect(events).toMatchObject([
      { type: "budget.released", inputId: idOf("input", 1), data: released.data },
    ]);
    expect(taken).toEqual([idOf("input", 1)]);
    for (const state of [story().state, story().message("hi").state])
      expect(decideInput(state, input(1, releases), context()).events).toMatchObject([
        { type: "input.refused", data: { code: "already_decided", ref: idOf("budget", 1) } },
      ]);
  });

  it("is released by the end of a period", () => {
    const timer = { type: "timer", kind: "budget", ref: idOf("run", 1) } as const;
    const actor = { type: "system", id: "timer" };
    expect(decideInput(paused().state, input(1, timer), context()).events).toMatchObject([
      { type: "budget.released", actor, data: { cause: "period" } },
    ]);
    expect(decideInput(story().state, input(1, timer), context()).events).toMatchObject([
      { type: "input.refused", actor, data: { code: "already_decided", ref: "period" } },
    ]);
  });

  it("is found by its budgets, and by a timer at the end of their period", () => {
    const resetsAt = isoAt(epochMs + 60_000);
    const told = paused({ resetsAt });
    const timer = { kind: "budget", ref: idOf("run", 1) };
    expect(projected(told)).toMatchObject({
      budgetWaits: [idOf("budget", 1)],
      timers: { set: [{ ...timer, dueAt: epochMs + 60_000 }], clear: [] },
    });
    told.add(released);
    expect(projected(told)).toMatchObject({ budgetWaits: [], timers: { set: [], clear: [timer] } });
    expect(projected(paused())).toMatchObject({ timers: { set: [] } });
    expect(projected(told.think())).not.toHaveProperty("budgetWaits");
  });

  it("is found no more when it ends", () => {
    const told = paused();
    const ends = finishRun(told.state, { reason: "interrupted", now: epochMs });
    told.add(...ends);
    expect(told.state.run).toBeNull();
    expect(projected(told, ends.length)).toMatchObject({ budgetWaits: [] });
  });
});

describe("a run's budgets", () => {
  it("are told once each, and to no later run", () => {
    const [budget] = budgetReached().data.budgets;
    if (budget === undefined) throw new Error("there is no budget");
    const told = story()
      .message("hi")
      .add({ type: "budget.warned", data: { level: "share", budget } });
    expect(told.state.run?.warned).toEqual([`${idOf("budget", 1)}/share`]);
    told.think().answer("a").ends();
    told.add({ type: "budget.warned", data: { level: "limit", budget } });
    expect(told.state.run).toBeNull();
    expect(told.message("again").state.run?.warned).toEqual([]);
  });

  it("are raised and tried again after one that ended it", () => {
    const [budget] = budgetReached().data.budgets;
    const { state } = story().message("hi");
    const ending = { reason: "budget_reached", now: epochMs } as const;
    const recoveries = (change: object) =>
      finishRun(state, { ...ending, ...change }).flatMap((event) =>
        event.type === "run.finished" ? [event.data.recovery] : [],
      );
    expect(recoveries({ budget })).toMatchObject([
      [
        {
          action: "raise_limit",
          label: "Raise the budget to 10.02 dollars, then try again",
          request: { method: "PATCH", path: `/api/v1/budgets/${idOf("budget", 1)}`, body: { limit: 10.02 } },
        },
        { action: "retry", request: { method: "POST", path: `/api/v1/runs/${idOf("run", 1)}/retry` } },
        { action: "fork" },
      ],
    ]);
    expect(recoveries({ budget: { ...budget, unit: "tokens", limit: 50, spent: 40 } })).toMatchObject([
      [{ label: "Raise the budget to 100 tokens, then try again" }, {}, {}],
    ]);
    expect(recoveries({})).toEqual([undefined]);
  });

  it("let as many steps begin as there is room for", () => {
    const told = story().message("hi").think().answer(call(1, delegation), call(2, delegation));
    told.delegates(1).delegates(2);
    expect(next(told)).toHaveLength(2);
    expect(next(told, { mayBegin: 1 })).toEqual([{ type: "begin_step", namespace: "helper-1" }]);
    expect(next(told, { mayBegin: 0 })).toEqual([{ type: "wait" }]);
  });

  it("are its own limit of dollars, too", () => {
    const costing = (maxCost: number) =>
      story()
        .message("hi", { limits: { ...limits, maxCost } })
        .think()
        .answer(call(1))
        .returns(1);
    expect(next(costing(0.6))).toMatchObject([{ type: "begin_step" }]);
    const message = "The run reached its limit of 0.5 dollars.";
    expect(next(costing(0.5))).toMatchObject([{ type: "finish_run", error: { message } }]);
    const unpriced = costing(0.6).add({
      type: "context.compacted",
      data: {
        method: "stub",
        keptFromSeq: 1,
        tokensBefore: 1,
        tokensAfter: 1,
        usage: story().state.usage,
        cost: null,
      },
    });
    expect(next(unpriced)).toMatchObject([{ type: "finish_run", error: { code: "limit_reached" } }]);
    const ended = finishRun(costing(0.5).state, { reason: "limit_reached", now: epochMs });
    expect(ended.at(-1)).toMatchObject({
      data: { recovery: [{ request: { body: { limits: { maxCost: 1 } } } }, {}] },
    });
  });
});
