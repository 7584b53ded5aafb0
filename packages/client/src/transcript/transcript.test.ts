import type { StreamEvent } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { finished, live, logged, runId, usage } from "../../test/support/events.ts";
import { createTranscript } from "./transcript.ts";

const hash = "0".repeat(64);
const agent = { id: "agt_00000000000000000000000001", version: 1, name: "helper" };
const call = {
  messageId: "msg_1",
  blockId: 1,
  name: "bash_run",
  inputHash: hash,
  kind: "server",
  effect: "once",
  permission: "ask",
} as const;

function delta(
  text: string,
  place: Partial<{ messageId: string; blockId: number; attempt: number; offset: number }> = {},
  namespace = "",
) {
  return live(
    "agent.message.delta",
    { messageId: "msg_1", blockId: 0, attempt: 1, offset: 0, text, ...place },
    { namespace },
  );
}
function said(seq: number, text: string, messageId = "msg_1", namespace = "") {
  return logged(seq, "agent.message", { messageId, blockId: 0, text }, { namespace });
}
function shown(events: readonly StreamEvent[]) {
  const transcript = createTranscript();
  for (const event of events) transcript.apply(event);
  return transcript.blocks;
}
const texts = (events: readonly StreamEvent[]) =>
  shown(events).flatMap((block) => (block.kind === "text" ? [block.text] : []));

describe("text in a transcript", () => {
  it("grows with its pieces and ends as the finished block says", () => {
    const transcript = createTranscript();
    expect(transcript.apply(delta("Hel"))).toMatchObject([
      { type: "added", block: { text: "Hel", done: false } },
    ]);
    expect(transcript.apply(delta("lo", { offset: 3 }))).toMatchObject([
      { type: "changed", before: { text: "Hel" }, block: { text: "Hello", done: false } },
    ]);
    expect(transcript.apply(said(4, "Hello!"))).toMatchObject([
      { type: "changed", before: { text: "Hello" }, block: { text: "Hello!", done: true, seq: 4 } },
    ]);
    expect(transcript.apply(delta("late", { offset: 6 }))).toEqual([]);
    expect(transcript.blocks).toHaveLength(1);
  });

  it.each<[string, StreamEvent[], string[]]>([
    ["waits at a gap", [delta("ab"), delta("ef", { offset: 4 })], ["ab"]],
    [
      "goes on after the part so far",
      [delta("ab"), delta("ef", { offset: 4 }), delta("abcd"), delta("ef", { offset: 4 })],
      ["abcdef"],
    ],
    ["is replaced by a higher attempt", [delta("abcd"), delta("x", { attempt: 2 })], ["x"]],
    ["ignores a lower attempt", [delta("x", { attempt: 2 }), delta("abcd")], ["x"]],
    [
      "of a broken attempt goes when the next writes another message",
      [delta("abcd"), delta("x", { attempt: 2, messageId: "msg_2" })],
      ["x"],
    ],
    [
      "of another sub-agent stays",
      [delta("abcd"), delta("x", { attempt: 2, messageId: "msg_2" }, "helper-1")],
      ["abcd", "x"],
    ],
    ["is complete without any piece", [said(2, "whole")], ["whole"]],
    [
      "of a run that ended goes unless it was finished",
      [said(2, "one"), delta("two", { messageId: "msg_2" }), finished(3)],
      ["one"],
    ],
  ])("%s", (_, events, expected) => expect(texts(events)).toEqual(expected));

  it("of two sub-agents at once keeps apart", () => {
    const found = shown([
      delta("A1", { messageId: "msg_a" }, "helper-1"),
      delta("B1", { messageId: "msg_b" }, "helper-2"),
      delta("A2", { messageId: "msg_a", offset: 2 }, "helper-1"),
      said(9, "B1B2", "msg_b", "helper-2"),
    ]);
    expect(found.map((block) => block.kind === "text" && [block.namespace, block.text])).toEqual([
      ["helper-1", "A1A2"],
      ["helper-2", "B1B2"],
    ]);
  });

  it("goes on a screen only once when a rewind undoes it", () => {
    const rewound = {
      toSeq: 2,
      cause: "rewind" as const,
      manifest: null,
      manifestSeq: null,
      usage,
      outsideEffects: [],
    };
    expect(
      texts([
        said(2, "kept"),
        said(5, "undone", "msg_2"),
        delta("live", { messageId: "msg_3" }),
        finished(8),
        logged(9, "session.rewound", rewound),
      ]),
    ).toEqual(["kept"]);
  });
});

describe("a tool call in a transcript", () => {
  const use = logged(3, "agent.tool_use", { ...call, toolUseId: "tlu_1", input: { command: "ls" } });
  const asked = logged(4, "approval.requested", {
    approvalId: "apr_1",
    toolUseId: "tlu_1",
    name: "bash_run",
    input: { command: "ls" },
    inputHash: hash,
    expiresAt: "2030-01-01T00:00:00Z",
    path: ["assistant"],
  });
  const result = logged(8, "agent.tool_result", {
    toolUseId: "tlu_1",
    name: "bash_run",
    ok: true,
    content: "a.txt",
    durationMs: 5,
  });

  it("goes from its first character to its result", () => {
    const transcript = createTranscript();
    const states: unknown[] = [];
    const piece = { messageId: "msg_1", blockId: 1, attempt: 1, toolUseId: "tlu_1", name: "bash_run" };
    const events = [
      live("agent.tool_use.delta", { ...piece, offset: 0, text: '{"comm' }),
      live("agent.tool_use.delta", { ...piece, offset: 6, text: 'and":' }),
      use,
      asked,
      logged(5, "approval.decided", {
        approvalId: "apr_1",
        toolUseId: "tlu_1",
        decision: "edit",
        input: { command: "pwd" },
      }),
      logged(6, "agent.tool_started", { toolUseId: "tlu_1", effect: "once", attempt: 1, inputHash: hash }),
      live("agent.tool_progress", { toolUseId: "tlu_1", text: "half", offset: 0 }),
      result,
    ];
    for (const event of events) {
      transcript.apply(event);
      const [block] = transcript.blocks;
      if (block?.kind === "tool")
        states.push([block.state, block.inputText, block.progress, block.approval?.status]);
    }
    expect(states).toEqual([
      ["writing", '{"comm', "", undefined],
      ["writing", '{"command":', "", undefined],
      ["pending", '{"command":"ls"}', "", undefined],
      ["asking", '{"command":"ls"}', "", "pending"],
      ["pending", '{"command":"pwd"}', "", "edited"],
      ["running", '{"command":"pwd"}', "", "edited"],
      ["running", '{"command":"pwd"}', "half", "edited"],
      ["ok", '{"command":"pwd"}', "half", "edited"],
    ]);
    expect(transcript.blocks).toMatchObject([
      { seq: 3, result: { ok: true, content: "a.txt", durationMs: 5 } },
    ]);
  });

  it("that is cancelled while it asks is no longer pending", () => {
    const aborted = logged(8, "agent.tool_result", {
      toolUseId: "tlu_1",
      name: "bash_run",
      ok: false,
      content: "no",
      errorType: "aborted",
    });
    expect(shown([use, asked, aborted])).toMatchObject([
      { state: "failed", approval: { status: "cancelled" } },
    ]);
  });

  it("shows the end of its progress when a part is missing, and no part twice", () => {
    const progress = (text: string, offset: number) =>
      live("agent.tool_progress", { toolUseId: "tlu_1", text, offset });
    const at = (...events: StreamEvent[]) => shown([use, ...events]);
    expect(at(progress("ab", 0), progress("bc", 1))).toMatchObject([{ progress: "abc", progressFrom: 0 }]);
    expect(at(progress("ab", 0), progress("xy", 9))).toMatchObject([{ progress: "xy", progressFrom: 9 }]);
    expect(at(progress("ab", 0), progress("new", 0))).toMatchObject([{ progress: "new", progressFrom: 0 }]);
  });
});

describe("a transcript", () => {
  it("shows messages, sub-agents, notices and the end of runs, in their order", () => {
    const started = {
      toolUseId: "tlu_9",
      namespace: "helper-1",
      agent,
      model: "a/b",
      task: "look",
      depth: 1,
    };
    const found = shown([
      logged(1, "user.message", { content: "hi", runId }),
      logged(2, "model.retried", {
        model: "a/b",
        attempt: 1,
        error: { code: "x", message: "overloaded", retryable: true },
        delayMs: 1,
      }),
      logged(3, "subagent.started", started),
      delta("unfinished", {}, "helper-1"),
      logged(4, "subagent.finished", {
        toolUseId: "tlu_9",
        namespace: "helper-1",
        reason: "end_turn",
        result: "seen",
      }),
      logged(5, "input.refused", {
        code: "already_decided",
        message: "It was decided.",
        inputType: "user.approval",
      }),
      finished(6),
    ]);
    expect(found).toMatchObject([
      { kind: "message", from: "user", content: "hi", seq: 1 },
      {
        kind: "notice",
        level: "info",
        code: "model.retried",
        text: "a/b failed and is asked again: overloaded",
      },
      { kind: "subagent", child: "helper-1", task: "look", reason: "end_turn" },
      { kind: "notice", level: "error", code: "already_decided", text: "It was decided." },
      { kind: "run", reason: "end_turn", cost: 0.5, error: null, recovery: [] },
    ]);
    expect(found).toHaveLength(5);
  });

  it("takes no notice of an event that it does not know", () => {
    const unknown = { ...said(1, "x"), type: "agent.dreamt" } as unknown as StreamEvent;
    expect(createTranscript().apply(unknown)).toEqual([]);
  });
});

describe("budgets in a transcript", () => {
  const budget = {
    budgetId: "bud_00000000000000000000000001",
    scope: "org",
    target: null,
    unit: "usd",
    period: "day",
    limit: 5,
    spent: 4.5,
    onLimit: "pause",
    resetsAt: null,
  } as const;

  it("say what a run waits for, and what is spent", () => {
    const tokens = { ...budget, scope: "session", unit: "tokens", period: "total", limit: 900 } as const;
    const blocks = shown([
      logged(2, "budget.warned", { level: "share", budget }),
      logged(3, "budget.reached", { budgets: [budget, tokens] }),
    ]);
    expect(blocks.map((block) => block.kind === "notice" && block.text)).toEqual([
      "Of the organization's budget of 5 dollars a day 4.5 dollars are spent.",
      "Nothing is left of the organization's budget of 5 dollars a day and of the session's budget of 900 tokens: the run waits until there is more.",
    ]);
  });

  it("say in one line each that a sandbox was given out and taken back", () => {
    const how = {
      allocationStrategy: "Session-Exclusive",
      isolation: "namespace",
      warm: true,
      ms: 6.6,
    } as const;
    const blocks = shown([
      logged(2, "sandbox.released", { sandboxId: "sbx_1", reason: "idle_ttl" }),
      logged(3, "sandbox.allocated", { sandboxId: "sbx_2", provider: "bubblewrap", ...how }),
      logged(4, "sandbox.released", { sandboxId: "sbx_2", reason: "host_lost" }),
    ]);
    expect(blocks.map((block) => block.kind === "notice" && block.text)).toEqual([
      "The sandbox was taken back (idle_ttl); the files stay.",
      "Commands run in a sandbox (bubblewrap, isolated; it was ready in 7 ms).",
      "The sandbox was lost with its host (host_lost).",
    ]);
  });
});
