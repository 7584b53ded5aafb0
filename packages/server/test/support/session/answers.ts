import { type Block, finishStep, finishSubagent, finishTool } from "../../../src/session/decide-step.ts";
import { finishRun } from "../../../src/session/decide-run.ts";
import { root, type ToolCall } from "../../../src/session/state.ts";
import { stubPlan, tokensAfter } from "../../../src/session/context-window.ts";
import type { Driver } from "./driver.ts";
import { call, client, delegation, helper, spent } from "./story.ts";
import type { Tape } from "./tape.ts";

/** A model's answer to an open step: text when the tape has ended, else anything that a model may come up with. */
export function answer(driver: Driver, namespace: string, tape: Tape): void {
  const stepId = driver.thinking.get(namespace);
  const at = driver.state.namespaces[namespace];
  if (stepId === undefined || at?.step?.id !== stepId) return;
  const blocks = tape.ended ? [text(tape, 0)] : blocksOf(driver, tape);
  const calls = blocks.some((block) => block.type === "tool_use");
  const usage = tape.once(5) ? spent(0, 0) : spent(tape.next(400), tape.next(100));
  driver.add(
    finishStep({
      namespace,
      stepId,
      messageId: stepId.replace(/^stp_/, "msg_"),
      blocks,
      model: at.model,
      usage,
      cost: tape.once(6) ? null : 0.25,
      ttftMs: 10,
      durationMs: 20,
      finish: calls ? "tool_calls" : "stop",
    }),
  );
}

function blocksOf(driver: Driver, tape: Tape): readonly Block[] {
  const blocks: Block[] = [];
  if (tape.once(4)) blocks.push({ blockId: 0, type: "thinking", text: "hm", signature: "sig" });
  if (tape.once(2)) blocks.push(text(tape, blocks.length));
  for (let left = tape.next(5); left > 0; left--) {
    blocks.push({ blockId: blocks.length, type: "tool_use", call: toolUse(driver, tape) });
  }
  return blocks;
}

function text(tape: Tape, blockId: number): Block {
  return { blockId, type: "text", text: "word ".repeat(1 + tape.next(200)) };
}

function toolUse(driver: Driver, tape: Tape) {
  const number = Number(driver.mint("toolUse").slice(4));
  const permission = tape.pick(["allow", "ask", "deny", "allow"] as const);
  switch (tape.next(9)) {
    case 0:
      return call(number, { effect: "once", permission });
    case 1:
      return call(number, { effect: "idempotent", permission });
    case 2:
      return call(number, { ...client, permission });
    case 3:
    case 7:
      return call(number, { ...delegation, permission, input: { agent: helper.name } });
    case 4:
      return call(number, { ...delegation, permission, input: { agent: "nobody" } });
    case 5:
      return call(number, { kind: "unknown", permission, invalid: "There is no such tool." });
    case 6:
      return call(number, { effect: "once", permission: "allow" });
    default:
      return call(number, { permission });
  }
}

/** A model that fails for good: its step ends, and the run or the sub-agent with it. */
export function fail(driver: Driver, namespace: string): void {
  const stepId = driver.thinking.get(namespace);
  const at = driver.state.namespaces[namespace];
  if (stepId === undefined || at?.step?.id !== stepId) return;
  const error = { code: "model_failed", message: "The model failed.", retryable: true };
  const messageId = stepId.replace(/^stp_/, "msg_");
  const numbers = { usage: spent(1, 0), cost: null, ttftMs: null, durationMs: 1, estimated: true };
  driver.add(
    finishStep({ namespace, stepId, messageId, blocks: [], model: at.model, finish: "error", ...numbers }),
  );
  const after = driver.state.namespaces[namespace];
  if (namespace === root || after === undefined)
    driver.add(
      finishRun(driver.state, { reason: "error", error, now: driver.now, otherModels: ["test/other"] }),
    );
  else driver.add(finishSubagent(after, { error }));
}

/** What a running tool gives back. */
export function toolReturns(driver: Driver, toolUseId: string, tape: Tape): void {
  const found = openCall(driver, toolUseId);
  if (found === null || !driver.running.has(toolUseId)) return;
  const ok = !tape.once(4);
  const done = { ok, content: "x".repeat(tape.next(2_000)), durationMs: 3 };
  const outcome = ok ? done : { ...done, errorType: tape.pick(["runtime", "timeout", "denied"] as const) };
  driver.add([finishTool(found.namespace, found.call, outcome)]);
}

/** A call that has no result yet. */
export function openCall(driver: Driver, toolUseId: string): { namespace: string; call: ToolCall } | null {
  for (const at of Object.values(driver.state.namespaces)) {
    const found = at.calls.find((one) => one.toolUseId === toolUseId);
    const open = found !== undefined && !["completed", "failed", "denied", "sealed"].includes(found.state);
    if (open) return { namespace: at.name, call: found };
  }
  return null;
}

/** A compaction that was wanted: a summary, or stubs when the summary fails. */
export function compacted(driver: Driver, namespace: string, tape: Tape): void {
  const wanted = driver.compacting.get(namespace);
  const at = driver.state.namespaces[namespace];
  if (wanted === undefined || at === undefined || at.step !== null) return;
  const failed = tape.once(3);
  const stubs = wanted.plan.method === "stub" ? wanted.plan : failed ? stubPlan(at) : null;
  if (failed && stubs === null) {
    const error = { code: "context_full", message: "The context is full.", retryable: false };
    return driver.add(finishRun(driver.state, { reason: "error", error, now: driver.now }));
  }
  const tokensBefore = at.tokens.reported + at.tokens.since;
  if (stubs !== null) {
    const data = { ...stubs, tokensBefore, tokensAfter: tokensAfter(at, stubs, 0) };
    return driver.add([{ type: "context.compacted", namespace, data }]);
  }
  const summary = "sum ".repeat(1 + tape.next(300));
  const told = { summary, usage: spent(tape.next(50), 5), cost: 0.1 };
  const data = {
    ...wanted.plan,
    ...told,
    tokensBefore,
    tokensAfter: tokensAfter(at, wanted.plan, summary.length / 4),
  };
  driver.add([{ type: "context.compacted", namespace, data }]);
}
