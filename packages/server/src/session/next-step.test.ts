import { describe, expect, it } from "vitest";
import { epochMs, idOf } from "../../test/support/session/ids.ts";
import { call, client, delegation, limits, story, type Story } from "../../test/support/session/story.ts";
import { isStepBoundary, isWaiting, nextStep, type Policy } from "./next-step.ts";

const policy: Policy = { now: epochMs, contextWindow: () => 100_000, inFlight: new Set() };
const next = (told: Story, change: Partial<Policy> = {}) => nextStep(told.state, { ...policy, ...change });
/** What is next for the calls of a step, as `start_tool 1`. */
const nextCalls = (told: Story, inFlight: readonly number[] = []) =>
  next(told, { inFlight: new Set(inFlight.map((number) => idOf("toolUse", number))) }).map((action) =>
    "toolUseId" in action ? `${action.type} ${Number(action.toolUseId.slice(4))}` : action.type,
  );
const asking = (...calls: readonly ReturnType<typeof call>[]) =>
  story()
    .message("hi")
    .think()
    .answer(...calls);

describe("what is next for a conversation", () => {
  it("without a run: an input", () => {
    expect(next(story())).toEqual([{ type: "take_input" }]);
    expect(next(story().turn("hi"))).toEqual([{ type: "take_input" }]);
  });

  it("THINK: a step, then its model call for as long as it is open", () => {
    const told = story().message("hi");
    expect(next(told)).toEqual([{ type: "begin_step", namespace: "" }]);
    expect(next(told.think())).toEqual([{ type: "call_model", namespace: "", stepId: idOf("step", 1) }]);
  });

  it("THINK with a full context: compaction before the step", () => {
    const told = story().turn("a".repeat(400)).turn("b".repeat(400)).message("c");
    expect(next(told, { contextWindow: () => 20 })).toMatchObject([
      { type: "compact", namespace: "", plan: { method: "summary" } },
    ]);
    expect(next(told.think(), { contextWindow: () => 20 })).toMatchObject([{ type: "call_model" }]);
  });

  it("RESPOND: the end of the run", () => {
    expect(next(story().message("hi").think().answer("a"))).toEqual([
      { type: "finish_run", reason: "end_turn" },
    ]);
  });

  it("DELEGATE: what the sub-agents want, each for itself", () => {
    const told = asking(call(1, delegation), call(2, delegation));
    expect(nextCalls(told)).toEqual(["delegate 1", "delegate 2"]);
    told.delegates(1).delegates(2);
    expect(next(told)).toEqual([
      { type: "begin_step", namespace: "helper-1" },
      { type: "begin_step", namespace: "helper-2" },
    ]);
    told.think("helper-1").answerIn("helper-1", "done").think("helper-2");
    expect(next(told)).toEqual([
      { type: "finish_subagent", namespace: "helper-1" },
      { type: "call_model", namespace: "helper-2", stepId: idOf("step", 3) },
    ]);
  });

  it("END: nothing of its own", () => {
    const { state } = story().message("hi");
    const ended = { ...state, namespaces: { "": { ...story().turn("x").at(), node: "END" as const } } };
    expect(nextStep(ended, policy)).toEqual([{ type: "wait" }]);
  });
});

describe("what is next for tool calls", () => {
  it("pure ones run side by side", () => {
    const told = asking(call(1), call(2), call(3));
    expect(nextCalls(told)).toEqual(["run_tool 1", "run_tool 2", "run_tool 3"]);
    expect(nextCalls(told, [1, 2, 3])).toEqual(["run_tool 1", "run_tool 2", "run_tool 3"]);
    expect(nextCalls(told.returns(2), [1, 3])).toEqual(["run_tool 1", "run_tool 3"]);
  });

  it("one of effect once starts before it runs", () => {
    const told = asking(call(1, { effect: "once" }));
    expect(nextCalls(told)).toEqual(["start_tool 1"]);
    expect(nextCalls(told.starts(1))).toEqual(["run_tool 1"]);
    expect(nextCalls(told, [1])).toEqual(["run_tool 1"]);
  });

  it("an idempotent one runs without a committed start", () => {
    expect(nextCalls(asking(call(1, { effect: "idempotent" })))).toEqual(["run_tool 1"]);
  });

  it("others than pure ones run alone, in the model's order", () => {
    const told = asking(call(1), call(2, { effect: "once" }), call(3), call(4, { effect: "idempotent" }));
    expect(nextCalls(told)).toEqual(["run_tool 1"]);
    expect(nextCalls(told, [1])).toEqual(["run_tool 1"]);
    expect(nextCalls(told.returns(1))).toEqual(["start_tool 2"]);
    expect(nextCalls(told.starts(2), [2])).toEqual(["run_tool 2"]);
    expect(nextCalls(told.returns(2))).toEqual(["run_tool 3"]);
    expect(nextCalls(told, [3])).toEqual(["run_tool 3"]);
    expect(nextCalls(told.returns(3))).toEqual(["run_tool 4"]);
  });

  it("pure ones do not wait for each other because of one that waits for a person", () => {
    const told = asking(call(1, { effect: "once", permission: "ask" }), call(2)).asks(1);
    expect(nextCalls(told)).toEqual(["run_tool 2"]);
    const allowed = told.decided(1);
    expect(nextCalls(allowed, [2])).toEqual(["run_tool 2"]);
    expect(nextCalls(allowed)).toEqual(["start_tool 1"]);
    expect(nextCalls(allowed.starts(1))).toEqual(["run_tool 1"]);
  });

  it("one that began earlier but stands later in the order holds the others back", () => {
    const told = asking(
      call(1, { effect: "idempotent", permission: "ask" }),
      call(2, { effect: "once" }),
    ).asks(1);
    expect(nextCalls(told)).toEqual(["start_tool 2"]);
    expect(nextCalls(told.starts(2).decided(1), [2])).toEqual(["run_tool 2"]);
  });

  it("tools of the caller and sub-agents hold nobody back", () => {
    const told = asking(call(1, client), call(2, delegation), call(3, { effect: "once" }), call(4));
    expect(nextCalls(told)).toEqual(["request_input 1", "delegate 2", "start_tool 3"]);
    expect(nextCalls(told.requests(1).delegates(2).starts(3))).toEqual(["run_tool 3", "begin_step"]);
  });

  it.each([
    ["server", { effect: "once" }, "start_tool 1"],
    ["server", {}, "run_tool 1"],
    ["client", client, "request_input 1"],
    ["delegate", delegation, "delegate 1"],
  ] as const)("of a %s %j that has to be asked about: ask, wait, then %s", (_, change, then) => {
    const told = asking(call(1, { ...change, permission: "ask" }));
    expect(nextCalls(told)).toEqual(["ask 1"]);
    expect(nextCalls(told.asks(1))).toEqual(["wait"]);
    expect(nextCalls(told.decided(1))).toEqual([then]);
  });
});

describe("limits", () => {
  const limited = {
    type: "finish_run",
    reason: "limit_reached",
    error: { code: "limit_reached", retryable: true },
  };

  it("of steps end the run before another one begins", () => {
    const told = story()
      .message("hi", { limits: { ...limits, maxSteps: 1 } })
      .think();
    expect(next(told)).toMatchObject([{ type: "call_model" }]);
    expect(next(told.answer(call(1)).returns(1))).toMatchObject([limited]);
  });

  it("of steps count those that begin together", () => {
    const told = story()
      .message("hi", { limits: { ...limits, maxSteps: 2 } })
      .think();
    told.answer(call(1, delegation), call(2, delegation)).delegates(1).delegates(2);
    expect(next(told)).toMatchObject([limited]);
  });

  it("of tokens count input and output of the whole tree", () => {
    const told = story()
      .message("hi", { limits: { ...limits, maxTokens: 15 } })
      .think()
      .answer(call(1))
      .returns(1);
    expect(next(told)).toMatchObject([limited]);
    const roomier = story()
      .message("hi", { limits: { ...limits, maxTokens: 16 } })
      .think()
      .answer(call(1))
      .returns(1);
    expect(next(roomier)).toMatchObject([{ type: "begin_step" }]);
  });

  it("of time end it at its deadline, whatever goes on", () => {
    const told = story().message("hi").think();
    const deadline = told.now - 1_000 + limits.maxDurationMs;
    expect(next(told, { now: deadline - 1 })).toMatchObject([{ type: "call_model" }]);
    expect(next(told, { now: deadline })).toMatchObject([limited]);
  });

  it("of time leave an answer that stands alone", () => {
    const told = story().message("hi").think().answer("a");
    expect(next(told, { now: told.now + limits.maxDurationMs })).toMatchObject([{ reason: "end_turn" }]);
  });

  it("of time do not count the time in which people were waited for", () => {
    const told = asking(call(1, client)).requests(1);
    const began = told.now - 3_000;
    const hour = limits.maxDurationMs;
    expect(next(told, { now: told.now + 10 * hour })).toEqual([{ type: "wait" }]);
    told.later(10 * hour).returns(1);
    const waited = 10 * hour + 1_000;
    expect(next(told, { now: began + waited + hour - 1 })).toMatchObject([{ type: "begin_step" }]);
    expect(next(told, { now: began + waited + hour })).toMatchObject([limited]);
  });

  it("of time do not jump when the clock steps back while people are waited for", () => {
    const told = asking(call(1, client)).requests(1);
    expect(next(told, { now: told.now - 60_000 })).toEqual([{ type: "wait" }]);
  });
});

describe("waiting", () => {
  it("is when every open call of every agent waits for somebody outside", () => {
    expect(isWaiting(story().state)).toBe(false);
    expect(isWaiting(story().message("hi").state)).toBe(false);
    expect(isWaiting(story().message("hi").think().answer("a").state)).toBe(false);
    const told = asking(call(1, client), call(2, { permission: "ask" }), call(3, delegation));
    expect(isWaiting(told.requests(1).state)).toBe(false);
    expect(isWaiting(told.asks(2).state)).toBe(false);
    expect(isWaiting(told.delegates(3).state)).toBe(false);
    told.think("helper-1").answerIn("helper-1", call(4, client));
    expect(isWaiting(told.state)).toBe(false);
    expect(isWaiting(told.requests(4).state)).toBe(true);
    expect(next(told)).toEqual([{ type: "wait" }]);
    expect(isWaiting(told.returns(4).state)).toBe(false);
  });

  it("is not while one of the server's own tools runs", () => {
    expect(isWaiting(asking(call(1, { effect: "once" })).starts(1).state)).toBe(false);
  });
});

describe("a place where the conversation can be cut", () => {
  it("is between two steps", () => {
    const told = story();
    const cuts = [isStepBoundary(told.state)];
    const note = (story_: Story) => cuts.push(isStepBoundary(story_.state));
    note(told.message("hi"));
    note(told.think());
    note(told.answer(call(1), call(2, delegation)));
    note(told.returns(1));
    note(told.delegates(2));
    note(told.think("helper-1").answerIn("helper-1", "done"));
    note(told.reports("helper-1"));
    note(told.think().answer("a"));
    note(told.ends());
    expect(cuts).toEqual([true, true, false, false, false, false, false, true, true, true]);
  });

  it("is nowhere before the session exists", () => {
    expect(isStepBoundary({ ...story().state, namespaces: {} })).toBe(false);
  });
});
