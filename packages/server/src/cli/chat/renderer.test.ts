import {
  type Block,
  type Change,
  createTranscript,
  type StreamEvent,
  type TextBlock,
  type ToolBlock,
} from "@berth/client";
import { describe, expect, it } from "vitest";
import { createTestTerminal } from "../../../test/support/test-terminal.ts";
import { createPrinter } from "../terminal/io.ts";
import { createRenderer } from "./renderer.ts";

const placed = { namespace: "", runId: "run_1", seq: null };
function text(value: string, change: Partial<TextBlock> = {}): TextBlock {
  return {
    ...placed,
    kind: "text",
    key: "m:0",
    messageId: "m",
    text: value,
    done: false,
    partial: false,
    ...change,
  };
}
const tool: ToolBlock = {
  ...placed,
  kind: "tool",
  key: "tlu_1",
  toolUseId: "tlu_1",
  messageId: "m",
  name: "bash_run",
  state: "pending",
  input: { command: "ls" },
  inputText: "",
  progress: "",
  progressFrom: 0,
  approval: null,
  result: null,
};

/** What a terminal shows after each block came to be as it is; blocks of one key follow each other. */
function shown(blocks: readonly (Block | { removed: Block })[], isTTY = true, whole = false) {
  const terminal = createTestTerminal({ isTTY });
  const renderer = createRenderer(createPrinter(terminal.io, { color: false }), { whole });
  const known = new Map<string, Block>();
  for (const one of blocks) {
    const change: Change = "removed" in one ? { type: "removed", block: one.removed } : changeTo(known, one);
    renderer.show([change]);
  }
  renderer.end();
  return { out: terminal.out(), err: terminal.err() };
}
function changeTo(known: Map<string, Block>, block: Block): Change {
  const before = known.get(block.key);
  known.set(block.key, block);
  return before === undefined ? { type: "added", block } : { type: "changed", block, before };
}

const at = { at: "2030-01-01T00:00:00.000Z", sessionId: "ses_1", runId: "run_1", namespace: "" };
const logged = { ...at, actor: { type: "agent", id: "test" }, v: 1 } as const;

/** What a terminal shows after these events of a session. */
function afterEvents(events: readonly StreamEvent[]): string {
  const terminal = createTestTerminal({ isTTY: true });
  const renderer = createRenderer(createPrinter(terminal.io, { color: false }));
  const transcript = createTranscript();
  for (const event of events) renderer.show(transcript.apply(event));
  return terminal.out();
}

describe("the agent's text", () => {
  it("streams as it grows and ends its line", () => {
    expect(shown([text("Hel"), text("Hello"), text("Hello!", { done: true })]).out).toBe("Hello!\n");
  });

  it("waits for the second half of a character", () => {
    expect(shown([text("a\ud83d"), text("a\ud83d\udc4d", { done: true })]).out).toBe("a👍\n");
  });

  it("says when it begins again with another attempt", () => {
    const again = shown([text("The answer is 4"), text("It"), text("It is 5", { done: true })]).out;
    expect(again).toBe("The answer is 4\n(it begins again)\nIt is 5\n");
  });

  it("says when it is cut off", () => {
    const half = text("half a sen");
    expect(shown([half, { removed: half }]).out).toBe("half a sen (cut off)\n");
  });

  it("is not torn by what happens meanwhile", () => {
    const notice: Block = {
      ...placed,
      kind: "notice",
      key: "n",
      level: "info",
      code: "x",
      text: "by the way",
    };
    expect(shown([text("one "), notice, text("one line", { done: true })]).out).toBe(
      "one line\nby the way\n",
    );
  });

  it("of a sub-agent comes whole and indented", () => {
    const child = text("a\nb", { key: "c:0", namespace: "helper-1", done: true });
    expect(shown([text("x", { key: "c:0", namespace: "helper-1" }), child]).out).toBe("  a\n  b\n");
  });

  it("cannot move the cursor", () => {
    expect(shown([text("a\u001b[2Jb\u202e", { done: true })]).out).toBe("a[2Jb\n");
  });

  it("is on the screen once when another server has written it anew and the log says so with its end", () => {
    const live = (attempt: number, offset: number, said: string) => ({
      ...at,
      type: "agent.message.delta" as const,
      data: { messageId: "m", blockId: 0, attempt, offset, text: said },
    });
    const whole = { messageId: "m", blockId: 0, text: "half a sentence" };
    expect(
      afterEvents([
        live(1_000_000_100, 0, "half a"),
        live(2_000_000_100, 0, "half"),
        live(2_000_000_100, 4, " a sentence"),
        { ...logged, seq: 5, type: "session.resumed", data: { strategy: "continue", sealed: [], epoch: 2 } },
        { ...logged, seq: 6, type: "agent.message", data: whole },
      ]),
    ).toBe("half a\n(it begins again)\nhalf a sentence\n");
  });

  it("goes alone to standard output where there is no terminal", () => {
    const thinking = text("hm", { kind: "thinking", key: "t:0", done: true });
    const result = shown([thinking, tool, text("done", { done: true })], false);
    expect(result.out).toBe("done\n");
    expect(result.err).toContain("bash_run");
    const whole = shown([thinking, tool, text("done", { done: true })], false, true);
    expect(whole).toEqual({ out: 'hm\n● bash_run {"command":"ls"}\ndone\n', err: "" });
  });
});

describe("a tool call", () => {
  it("is one line when it is known, its progress, and one with its result", () => {
    const running: ToolBlock = { ...tool, state: "running" };
    const result = { ok: true, content: "a.txt\nb.txt", durationMs: 1_234 };
    const { out } = shown([
      { ...tool, state: "writing", input: undefined },
      tool,
      running,
      { ...running, progress: "one\ntw" },
      { ...running, progress: "one\ntwo\n" },
      { ...running, progress: "one\ntwo\n", state: "ok", result },
    ]);
    expect(out).toBe('● bash_run {"command":"ls"}\n  │ one\n  │ two\n  ✓ bash_run 1.2 s  a.txt b.txt\n');
  });

  it("tells what it waits for, once, and that it was denied", () => {
    const approval = { approvalId: "apr_1", status: "pending" } as ToolBlock["approval"];
    const asking: ToolBlock = { ...tool, state: "asking", approval };
    const denied: ToolBlock = {
      ...tool,
      state: "denied",
      approval,
      result: { ok: false, content: "Not now." },
    };
    expect(shown([tool, asking, asking, denied]).out).toBe(
      '● bash_run {"command":"ls"}\n  waits for a decision: apr_1\n  ✗ denied bash_run  Not now.\n',
    );
  });

  it("shows no more progress than fits", () => {
    const progress = Array.from({ length: 50 }, (_, line) => `line ${line}\n`).join("");
    const { out } = shown([tool, { ...tool, state: "running", progress }]);
    expect(out.split("\n").filter((line) => line.includes("│"))).toHaveLength(21);
    expect(out).toContain("│ …");
  });
});

describe("the end of a run", () => {
  const usage = {
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
  };
  it("says why, unless all is well", () => {
    const run: Block = {
      ...placed,
      kind: "run",
      key: "r",
      reason: "end_turn",
      usage,
      cost: null,
      error: null,
      recovery: [],
    };
    expect(shown([run]).out).toBe("");
    const error = { code: "x", message: "no model\u001b[31m", retryable: true };
    expect(shown([{ ...run, reason: "retries_exhausted", error }]).out).toBe(
      "The run ended: retries_exhausted. no model[31m\n",
    );
  });
});
