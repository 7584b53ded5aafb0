import { describe, expect, it } from "vitest";
import { given } from "../../test/support/session/given.ts";
import { idOf, isoAt } from "../../test/support/session/ids.ts";
import {
  agent,
  call,
  client,
  delegation,
  helper,
  limits,
  spent,
  story,
} from "../../test/support/session/story.ts";
import {
  askApproval,
  beginStep,
  type Block,
  delegate,
  finishStep,
  finishSubagent,
  finishTool,
  pathOf,
  requestInput,
  startTool,
  type StepResult,
} from "./decide-step.ts";
import { root } from "./state.ts";

const toolUseId = idOf("toolUse", 1);
const step = { stepId: idOf("step", 1), namespace: root, messageId: idOf("message", 1) };
const result: StepResult = {
  ...step,
  blocks: [],
  model: "test/model",
  usage: spent(7, 3),
  cost: 0.1,
  ttftMs: 4,
  durationMs: 9,
  finish: "stop",
};
const thinking = () => story().message("hi").think();

describe("a step", () => {
  it("begins with the model and the tokens that it is going to send", () => {
    const told = story().message("x".repeat(40));
    given(told)
      .when(() => beginStep(told.at(), step.stepId))
      .thenEvents({
        type: "step.started",
        stepId: step.stepId,
        runId: idOf("run", 1),
        data: { model: "test/model", estimatedTokens: 14 },
      })
      .thenState({ run: { steps: 1 } });
  });

  it("ends with its blocks, in order, and what it cost", () => {
    const blocks: readonly Block[] = [
      { blockId: 0, type: "thinking", text: "hm", signature: "s" },
      { blockId: 1, type: "thinking", text: "hm" },
      { blockId: 3, type: "text", text: "hello" },
    ];
    const { messageId, stepId } = step;
    given(thinking())
      .when(() => finishStep({ ...result, blocks, estimated: true }))
      .thenEvents(
        { type: "agent.thinking", stepId, data: { messageId, blockId: 0, text: "hm", signature: "s" } },
        { type: "agent.thinking", stepId, data: { messageId, blockId: 1, text: "hm" } },
        { type: "agent.message", stepId, data: { messageId, blockId: 3, text: "hello" } },
        {
          type: "step.finished",
          stepId,
          data: {
            model: "test/model",
            usage: spent(7, 3),
            cost: 0.1,
            ttftMs: 4,
            durationMs: 9,
            finish: "stop",
            estimated: true,
          },
        },
      );
  });

  it("leaves calls open that can be made", () => {
    const block = { blockId: 0, type: "tool_use", call: call(1) } as const;
    given(thinking())
      .when(() => finishStep({ ...result, finish: "tool_calls", blocks: [block] }))
      .thenEvents(
        { type: "agent.tool_use", data: { ...call(1), messageId: step.messageId, blockId: 0 } },
        { type: "step.finished", data: { finish: "tool_calls" } },
      );
  });

  it.each([
    [
      { invalid: "number must be a string", permission: "deny" },
      { errorType: "validation", retryable: true, content: "number must be a string" },
    ],
    [
      { permission: "deny" },
      { errorType: "denied", retryable: false, content: "This call is not permitted." },
    ],
    [
      { permission: "deny", rule: "mode readonly" },
      { errorType: "denied", content: "This call is not permitted (mode readonly)." },
    ],
  ] as const)("answers a call %j at once", (change, data) => {
    const block = { blockId: 0, type: "tool_use", call: call(1, change) } as const;
    given(thinking())
      .when(() => finishStep({ ...result, blocks: [block] }))
      .thenEvents(
        { type: "agent.tool_use" },
        { type: "step.finished" },
        { type: "agent.tool_result", data: { toolUseId, name: "tool_1", ok: false, ...data } },
      )
      .thenState({ namespaces: { "": { node: "THINK" } } });
  });
});

describe("a call", () => {
  const asked = (change: Parameters<typeof call>[1] = {}) => thinking().answer(call(1, change));

  it("that a person has to allow is asked about under an id that follows from its own", () => {
    const told = asked({ permission: "ask" });
    given(told)
      .when((state) => askApproval(state, told.at(), told.find(1).call, isoAt(5)))
      .thenEvents({
        type: "approval.requested",
        data: {
          approvalId: idOf("approval", 1),
          toolUseId,
          name: "tool_1",
          input: { number: 1 },
          inputHash: call(1).inputHash,
          expiresAt: isoAt(5),
          path: ["main"],
        },
      })
      .thenState({ approvals: { [idOf("approval", 1)]: { toolUseId } } });
  });

  it("of a tool of the caller is asked of the caller", () => {
    const told = asked(client);
    given(told)
      .when(() => requestInput(told.at(), told.find(1).call, isoAt(5)))
      .thenEvents({
        type: "input.requested",
        data: { toolUseId, name: "tool_1", input: { number: 1 }, expiresAt: isoAt(5) },
      });
  });

  it("of effect once has a committed start", () => {
    const told = asked({ effect: "once" });
    given(told)
      .when(() => startTool(told.at(), told.find(1).call, 3))
      .thenEvents({
        type: "agent.tool_started",
        data: { toolUseId, effect: "once", attempt: 3, inputHash: call(1).inputHash },
      });
  });

  it("has the result that the tool gave, and the hash of the arguments that it ran with", () => {
    const told = asked();
    const done = {
      ok: false,
      content: "no",
      errorType: "timeout",
      retryable: true,
      note: "n",
      suggestions: ["s"],
      durationMs: 2,
    } as const;
    given(told)
      .when(() => finishTool(root, told.find(1).call, { ...done, suggestions: ["s"] }))
      .thenEvents({
        type: "agent.tool_result",
        data: { toolUseId, name: "tool_1", ...done, executedHash: call(1).inputHash },
      });
  });
});

describe("delegation", () => {
  const told = () => thinking().answer(call(1, delegation), call(2, delegation));
  const to = { agent: helper, model: "test/small", task: "look" };

  it("begins a sub-agent in a namespace of its own", () => {
    const before = told();
    given(before)
      .when((state) => delegate(state, before.at(), before.find(1).call, to))
      .thenEvents({
        type: "subagent.started",
        namespace: "",
        data: { toolUseId, namespace: "helper-1", ...to, depth: 1 },
      })
      .thenState({ run: { subagents: 1 }, namespaces: { "helper-1": { depth: 1 } } });
  });

  it("numbers sub-agents through the run, and nests their names", () => {
    const before = told()
      .delegates(1)
      .delegates(2)
      .think("helper-2")
      .answerIn("helper-2", call(3, delegation));
    given(before)
      .when((state) => delegate(state, before.at("helper-2"), before.find(3).call, to))
      .thenEvents({
        type: "subagent.started",
        namespace: "helper-2",
        data: { namespace: "helper-2/helper-3", depth: 2 },
      });
    const { state } = before.delegates(3);
    expect(pathOf(state, before.at("helper-2/helper-3"))).toEqual(["main", "helper", "helper"]);
  });

  it.each([
    ["to nobody", { refused: "There is no such agent." }, "There is no such agent.", limits],
    ["too deep", to, "Agents may delegate at most 0 deep here.", { ...limits, maxDepth: 0 }],
  ] as const)("%s is refused, and the model is told", (_, target, content, ownLimits) => {
    const before = story().message("hi", { limits: ownLimits }).think().answer(call(1, delegation));
    given(before)
      .when((state) => delegate(state, before.at(), before.find(1).call, target))
      .thenEvents({
        type: "agent.tool_result",
        data: { toolUseId, name: "delegate", ok: false, content, errorType: "validation", retryable: true },
      })
      .thenState({ namespaces: { "": { node: "THINK" } } });
  });

  it("needs a run", () => {
    const before = told();
    const idle = { ...before.state, run: null };
    expect(delegate(idle, before.at(), before.find(1).call, to).type).toBe("agent.tool_result");
  });

  it.each([
    [
      "its answer",
      "found it",
      {},
      { reason: "end_turn", result: "found it" },
      { ok: true, content: "found it" },
    ],
    [
      "that it said nothing",
      "",
      {},
      { reason: "end_turn", result: "" },
      { ok: true, content: "The agent finished and said nothing." },
    ],
    [
      "its error",
      "half",
      { error: { code: "x", message: "no model", retryable: true } },
      { reason: "error", result: "half" },
      { ok: false, content: "The agent failed: no model", errorType: "runtime", retryable: true },
    ],
  ] as const)("ends with %s as the result of the call", (_, text, ending, end, data) => {
    const before = told().delegates(1).think("helper-1").answerIn("helper-1", text);
    given(before)
      .when(() => finishSubagent(before.at("helper-1"), ending))
      .thenEvents(
        { type: "subagent.finished", namespace: "", data: { toolUseId, namespace: "helper-1", ...end } },
        { type: "agent.tool_result", namespace: "", data: { toolUseId, name: "delegate", ...data } },
      );
  });

  it("is nothing that the session's own agent could finish", () => {
    expect(finishSubagent(told().at())).toEqual([]);
    expect(pathOf(told().state, told().at())).toEqual([agent.name]);
  });
});
