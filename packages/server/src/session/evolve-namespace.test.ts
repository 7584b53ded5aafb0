import { describe, expect, it } from "vitest";
import { idOf } from "../../test/support/session/ids.ts";
import {
  call,
  client,
  delegation,
  helper,
  spent,
  story,
  type Story,
} from "../../test/support/session/story.ts";
import { contextTokens } from "./context-window.ts";
import { noUsage, root } from "./state.ts";

const items = (told: Story, namespace = root) => [...told.at(namespace).items];

describe("what the model is told", () => {
  it("is one item for each event that says something, in order", () => {
    const thinking = { messageId: idOf("message", 1), blockId: 0, text: "hm" };
    const told = story()
      .message("hi")
      .add({ type: "system.message", data: { content: "noon" } })
      .think()
      .add({ type: "agent.thinking", data: { ...thinking, signature: "s" } })
      .add({ type: "agent.thinking", data: thinking })
      .answer("let me see", call(1))
      .returns(1, "42");
    expect(items(told)).toEqual([
      { kind: "user", seq: 2, content: "hi" },
      { kind: "system", seq: 4, content: "noon" },
      { kind: "thinking", seq: 6, messageId: idOf("message", 1), text: "hm", signature: "s" },
      { kind: "thinking", seq: 7, messageId: idOf("message", 1), text: "hm" },
      { kind: "text", seq: 8, messageId: idOf("message", 1), text: "let me see" },
      {
        kind: "tool_use",
        seq: 9,
        messageId: idOf("message", 1),
        toolUseId: idOf("toolUse", 1),
        name: "tool_1",
        input: { number: 1 },
      },
      {
        kind: "tool_result",
        seq: 11,
        toolUseId: idOf("toolUse", 1),
        name: "tool_1",
        ok: true,
        content: "42",
      },
    ]);
  });

  it("keeps signatures of calls, and what a result says beside its content", () => {
    const told = story()
      .message("hi")
      .think()
      .answer(call(1, { signature: "sig" }));
    const result = { toolUseId: idOf("toolUse", 1), name: "tool_1", ok: false, content: "no" };
    const more = { errorType: "timeout", note: "slow", suggestions: ["wait"] } as const;
    told.add({ type: "agent.tool_result", data: { ...result, ...more, suggestions: ["wait"] } });
    expect(items(told).slice(1)).toMatchObject([
      { kind: "tool_use", signature: "sig" },
      { kind: "tool_result", ...more },
    ]);
  });

  it("counts tokens: what the provider reported, then an estimate of what came after it", () => {
    const told = story().message("x".repeat(40));
    expect(told.at().tokens).toEqual({ reported: 0, since: 14 });
    told.think().answer("y".repeat(40), call(1));
    expect(told.at().tokens).toEqual({ reported: 15, since: 0 });
    told.returns(1, "z".repeat(80));
    expect(contextTokens(told.at())).toBe(15 + 24);
  });

  it("goes on estimating when a step reports nothing or only an estimate", () => {
    const finish = { model: "m", cost: null, ttftMs: null, durationMs: 1, finish: "stop" } as const;
    const after = (usage = noUsage, estimated?: boolean) =>
      story()
        .message("x".repeat(40))
        .think()
        .add({
          type: "step.finished",
          data: { ...finish, usage, ...(estimated !== undefined && { estimated }) },
        })
        .at().tokens;
    expect(after()).toEqual({ reported: 0, since: 14 });
    expect(after(spent(9, 9), true)).toEqual({ reported: 0, since: 14 });
    expect(after(spent(9, 9), false)).toEqual({ reported: 18, since: 0 });
  });
});

describe("the graph", () => {
  it("THINK, RESPOND when the model only spoke, END when the run finished", () => {
    const told = story().message("hi");
    expect(told.at()).toMatchObject({ node: "THINK", step: null });
    told.think();
    const step = { id: idOf("step", 1), model: "test/model", startedAt: told.now, estimatedTokens: 5 };
    expect(told.at()).toMatchObject({ node: "THINK", step });
    expect(told.answer("a").at()).toMatchObject({ node: "RESPOND", step: null, lastText: "a" });
    expect(told.ends().at()).toMatchObject({ node: "END" });
  });

  it("ACT while calls are open, THINK when the last result is in", () => {
    const told = story().message("hi").think().answer(call(1), call(2));
    expect(told.at().node).toBe("ACT");
    expect(told.returns(1).at().node).toBe("ACT");
    expect(told.returns(2).at().node).toBe("THINK");
    expect(told.think().at().calls).toEqual([]);
  });

  it("DELEGATE while only sub-agents are at work, ACT as long as a tool is open too", () => {
    const told = story().message("hi").think().answer(call(1, delegation), call(2));
    expect(told.at().node).toBe("ACT");
    expect(told.delegates(1).returns(2).at().node).toBe("DELEGATE");
    told.think("helper-1").answerIn("helper-1", "done").reports("helper-1");
    expect(told.at().node).toBe("THINK");
  });

  it("THINK at once when every call was refused", () => {
    expect(
      story()
        .message("hi")
        .think()
        .answer(call(1, { invalid: "no such tool" }))
        .at().node,
    ).toBe("THINK");
  });

  it("a steering message after an answer makes it think again, at other times it is only told", () => {
    expect(story().message("hi").think().answer("a").steer("and?").at().node).toBe("THINK");
    expect(story().message("hi").think().answer(call(1)).steer("and?").at().node).toBe("ACT");
    expect(
      story()
        .turn("hi")
        .add({ type: "system.message", data: { content: "x" } })
        .at().node,
    ).toBe("END");
  });
});

describe("tool calls", () => {
  it("are remembered with everything that was decided about them", () => {
    const told = story().message("hi").think().answer(call(1), call(2, client));
    expect(told.at().calls).toMatchObject([
      { ...call(1), state: "pending", timeoutMs: null, messageId: idOf("message", 1) },
      { ...call(2, client), state: "pending", timeoutMs: 60_000 },
    ]);
  });

  it.each([
    ["completed", { ok: true }],
    ["failed", { ok: false, errorType: "runtime" }],
    ["denied", { ok: false, errorType: "denied" }],
    ["sealed", { ok: false, errorType: "interrupted", sealed: true }],
  ] as const)("are %s by a result %j", (state, result) => {
    const told = story().message("hi").think().answer(call(1), call(2));
    const data = { toolUseId: idOf("toolUse", 1), name: "tool_1", content: "", ...result };
    expect(told.add({ type: "agent.tool_result", data }).find(1).call.state).toBe(state);
    expect(told.find(2).call.state).toBe("pending");
  });

  it.each([
    ["a tool with an effect", call(1, { effect: "idempotent" }), true],
    ["a pure tool", call(1), false],
    ["a tool of the caller", call(1, client), false],
  ] as const)("of %s make the workspace dirty: %s", (_, one, dirty) => {
    expect(story().message("hi").think().answer(one).returns(1).state.workspaceDirty).toBe(dirty);
  });

  it("execute once they have started or were asked of the caller", () => {
    const told = story()
      .message("hi")
      .think()
      .answer(call(1, { effect: "once" }), call(2, client));
    expect(told.starts(1).find(1).call.state).toBe("executing");
    expect(told.requests(2).find(2).call.state).toBe("executing");
  });
});

describe("sub-agents", () => {
  const begun = () => story().message("hi").think().answer(call(1, delegation)).delegates(1);

  it("have a namespace, a context and a graph of their own", () => {
    const told = begun();
    expect(told.at("helper-1")).toMatchObject({
      agent: helper,
      model: "test/small",
      depth: 1,
      parent: { namespace: "", toolUseId: idOf("toolUse", 1) },
      node: "THINK",
    });
    expect(items(told, "helper-1")).toEqual([{ kind: "user", seq: told.seq, content: "task 1" }]);
    expect(told.find(1).call.state).toBe("executing");
    expect(told.state.run?.subagents).toBe(1);
    told.think("helper-1").answerIn("helper-1", "one ", "two");
    expect(told.at("helper-1")).toMatchObject({ node: "RESPOND", lastText: "one two" });
    expect(told.at().step).toBeNull();
    expect(told.state.run?.steps).toBe(2);
  });

  it("leave nothing but their result", () => {
    const before = story().message("hi").think().answer(call(1, delegation));
    const told = begun().think("helper-1").answerIn("helper-1", "done").reports("helper-1");
    expect(Object.keys(told.state.namespaces)).toEqual([""]);
    expect(items(told).at(-1)).toMatchObject({ kind: "tool_result", content: "done" });
    const grown = told.state.bytes - before.state.bytes;
    expect(grown).toBe(
      before.returns(1, "done").state.bytes -
        story().message("hi").think().answer(call(1, delegation)).state.bytes,
    );
  });

  it("start even where no run goes on, since what was committed is not argued with", () => {
    const data = {
      toolUseId: idOf("toolUse", 1),
      namespace: "helper-1",
      agent: helper,
      model: "m",
      task: "t",
      depth: 1,
    };
    const told = story().add({ type: "subagent.started", data });
    expect(told.state.run).toBeNull();
    expect(told.at("helper-1").depth).toBe(1);
    expect(
      told.add({
        type: "step.started",
        namespace: "helper-1",
        stepId: idOf("step", 1),
        data: { model: "m", estimatedTokens: 1 },
      }).state.run,
    ).toBeNull();
  });
});

describe("context.compacted", () => {
  const long = () => story().turn("one").turn("two").message("three");

  it("replaces what came before by a summary, in its place, and counts anew", () => {
    const told = long();
    const { keptFromSeq } = { keptFromSeq: told.seq - 1 };
    const numbers = { tokensBefore: 99, tokensAfter: 12, usage: spent(30, 4), cost: 0.25 };
    const before = told.state.usage.inputTokens;
    told.add({
      type: "context.compacted",
      data: { method: "summary", summary: "s", keptFromSeq, ...numbers },
    });
    expect(items(told)).toEqual([
      { kind: "summary", seq: keptFromSeq - 1, text: "s" },
      { kind: "user", seq: keptFromSeq, content: "three" },
    ]);
    expect(told.at().tokens).toEqual({ reported: 0, since: 12 });
    expect(told.state.usage.inputTokens - before).toBe(30);
    expect(told.state.run).toMatchObject({ cost: 0.25, usage: { inputTokens: 30, outputTokens: 4 } });
  });

  it("replaces the summary before it too", () => {
    const told = long();
    const cut = (keptFromSeq: number, summary?: string) => {
      const data = { method: "summary", keptFromSeq, tokensBefore: 1, tokensAfter: 1 } as const;
      told.add({ type: "context.compacted", data: { ...data, ...(summary !== undefined && { summary }) } });
    };
    cut(told.seq - 1, "first");
    told.think().answer("x").ends().message("four");
    cut(told.seq - 1);
    expect(items(told).map((item) => item.kind)).toEqual(["summary", "user"]);
    expect(items(told)[0]).toMatchObject({ text: "" });
  });

  it("of a run without a price leaves the cost unknown", () => {
    const data = {
      method: "stub",
      keptFromSeq: 1,
      tokensBefore: 1,
      tokensAfter: 1,
      usage: spent(1, 1),
    } as const;
    expect(long().add({ type: "context.compacted", data }).state.run?.cost).toBeNull();
    expect(story().turn("one").add({ type: "context.compacted", data }).state.usage.inputTokens).toBe(11);
  });

  it("shortens long tool outputs before a seq", () => {
    const told = story()
      .message("hi")
      .think()
      .answer(call(1), call(2))
      .returns(1, "x".repeat(900))
      .returns(2, "short");
    told.think().answer(call(3)).returns(3, "y".repeat(900));
    const before = told.state.bytes;
    const data = { method: "stub", keptFromSeq: told.seq, tokensBefore: 1, tokensAfter: 1 } as const;
    told.add({ type: "context.compacted", data });
    const results = items(told).flatMap((item) => (item.kind === "tool_result" ? [item.content] : []));
    expect(results).toEqual([expect.stringMatching(/removed to save room/), "short", "y".repeat(900)]);
    expect(told.state.bytes).toBeLessThan(before - 700);
  });
});
