import { finishRun } from "../../../src/session/decide-run.ts";
import {
  askApproval,
  beginStep,
  delegate,
  finishSubagent,
  requestInput,
  startTool,
} from "../../../src/session/decide-step.ts";
import type { NewEvent } from "../../../src/session/new-event.ts";
import type { Action } from "../../../src/session/next-step.ts";
import type { NamespaceState, SessionState, ToolCall } from "../../../src/session/state.ts";
import { isoAt } from "./ids.ts";
import { helper } from "./story.ts";

type Effect = "call_model" | "run_tool" | "compact";
export type Transition = Exclude<Action, { type: "take_input" | "wait" | Effect }>;

const others: ReadonlySet<Action["type"]> = new Set([
  "take_input",
  "wait",
  "call_model",
  "run_tool",
  "compact",
]);

export function isTransition(action: Action): action is Transition {
  return !others.has(action.type);
}

/** How long people and callers have in the driver's sessions. Milliseconds. */
const patienceMs = 60_000;

interface Means {
  readonly now: number;
  readonly epoch: number;
  readonly mint: () => string;
}

/** The events of a transition. A call of `delegate` goes to the helper; its input may name an agent that is not there. */
export function transit(state: SessionState, action: Transition, means: Means): readonly NewEvent[] {
  if (action.type === "finish_run") {
    const { reason, error } = action;
    return finishRun(state, { reason, now: means.now, ...(error !== undefined && { error }) });
  }
  const at = state.namespaces[action.namespace];
  if (at === undefined) throw new Error(`nextStep names the namespace ${action.namespace}, which is gone`);
  if (action.type === "begin_step") return [beginStep(at, means.mint())];
  if (action.type === "finish_subagent") return finishSubagent(at);
  const call = at.calls.find((one) => one.toolUseId === action.toolUseId);
  if (call === undefined) throw new Error(`nextStep names the call ${action.toolUseId}, which is gone`);
  return [transitCall({ state, at, call, means }, action.type)];
}

function transitCall(
  { state, at, call, means }: { state: SessionState; at: NamespaceState; call: ToolCall; means: Means },
  type: "ask" | "request_input" | "delegate" | "start_tool",
): NewEvent {
  const expiresAt = isoAt(means.now + (call.timeoutMs ?? patienceMs));
  switch (type) {
    case "ask":
      return askApproval(state, at, call, expiresAt);
    case "request_input":
      return requestInput(at, call, expiresAt);
    case "start_tool":
      return startTool(at, call, means.epoch);
    case "delegate": {
      const { agent } = call.input as { agent?: string };
      if (agent !== helper.name) return delegate(state, at, call, { refused: "There is no such agent." });
      return delegate(state, at, call, { agent: helper, model: "test/small", task: "do it" });
    }
  }
}
