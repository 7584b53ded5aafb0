import type { ErrorInfo, RunReason } from "@berth/contract";
import { type CompactionPlan, planCompaction } from "./context-window.ts";
import { type NamespaceState, root, type RunState, type SessionState, type ToolCall } from "./state.ts";
import { isResolved } from "./tool-call.ts";

/**
 * What a session wants next. Transitions (`begin_step`, `ask`, `request_input`, `delegate`, `start_tool`, `finish_subagent`,
 * `finish_run`) only write events; effects (`call_model`, `run_tool`, `compact`) reach outside and are wanted until their events
 * are in the log, so that a crash in their middle makes them wanted again.
 */
export type Action =
  | { readonly type: "take_input" }
  | { readonly type: "wait" }
  | { readonly type: "begin_step"; readonly namespace: string }
  | { readonly type: "ask"; readonly namespace: string; readonly toolUseId: string }
  | { readonly type: "request_input"; readonly namespace: string; readonly toolUseId: string }
  | { readonly type: "delegate"; readonly namespace: string; readonly toolUseId: string }
  | { readonly type: "start_tool"; readonly namespace: string; readonly toolUseId: string }
  | { readonly type: "finish_subagent"; readonly namespace: string }
  | { readonly type: "finish_run"; readonly reason: RunReason; readonly error?: ErrorInfo }
  | { readonly type: "call_model"; readonly namespace: string; readonly stepId: string }
  | { readonly type: "run_tool"; readonly namespace: string; readonly toolUseId: string }
  | { readonly type: "compact"; readonly namespace: string; readonly plan: CompactionPlan };

export interface Policy {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Tokens that the namespace's model takes. */
  contextWindow(at: NamespaceState): number;
  /** Tool calls that run in this process now; a call that conflicts with one of them waits. */
  readonly inFlight: ReadonlySet<string>;
  /** How many steps may begin now; default: as many as want to. Fewer while the calls under way may use up a budget. */
  readonly mayBegin?: number;
}

/**
 * The set of next actions, at most one model call for each namespace. Never empty: `wait`, `take_input` and `finish_run` stand alone.
 * Transitions are decided in turn, each against the state that the one before led to.
 */
export function nextStep(state: SessionState, policy: Policy): readonly Action[] {
  const run = state.run;
  if (run === null) return [{ type: "take_input" }];
  // An answer that stands is the run's end, however late it came.
  if (state.namespaces[root]?.node === "RESPOND") return [{ type: "finish_run", reason: "end_turn" }];
  if (policy.now >= deadlineOf(run, policy.now))
    return [overLimit("The run took longer than its limit of time allows.")];
  const actions: Action[] = [];
  let { steps } = run;
  const most = run.steps + (policy.mayBegin ?? Number.POSITIVE_INFINITY);
  for (const at of Object.values(state.namespaces)) {
    for (const action of nextOf(at, { ...run, steps }, policy)) {
      if (action.type === "finish_run") return [action];
      if (action.type === "begin_step") {
        if (steps >= most) continue;
        steps += 1;
      }
      actions.push(action);
    }
  }
  return actions.length > 0 ? actions : [{ type: "wait" }];
}

/** When the run's time is up, in milliseconds since 1970; time that it only waited for people does not count. */
export function deadlineOf(run: RunState, now: number): number {
  const waiting = run.waitingSince === null ? 0 : Math.max(0, now - run.waitingSince);
  return run.startedAt + run.waitedMs + waiting + run.limits.maxDurationMs;
}

function nextOf(at: NamespaceState, run: RunState, policy: Policy): readonly Action[] {
  switch (at.node) {
    case "THINK":
      return think(at, run, policy);
    case "ACT":
    case "DELEGATE":
      return act(at, policy.inFlight);
    case "RESPOND":
      return [{ type: "finish_subagent", namespace: at.name }];
    case "END":
      return [];
  }
}

function think(at: NamespaceState, run: RunState, policy: Policy): readonly Action[] {
  if (run.blockedBy !== null) return [];
  if (at.step !== null) return [{ type: "call_model", namespace: at.name, stepId: at.step.id }];
  const limit = limitReached(run);
  if (limit !== null) return [overLimit(limit)];
  const plan = planCompaction(at, policy.contextWindow(at));
  if (plan !== null) return [{ type: "compact", namespace: at.name, plan }];
  return [{ type: "begin_step", namespace: at.name }];
}

function limitReached(run: RunState): string | null {
  if (run.steps >= run.limits.maxSteps) return `The run reached its limit of ${run.limits.maxSteps} steps.`;
  const tokens = run.usage.inputTokens + run.usage.outputTokens;
  if (tokens >= run.limits.maxTokens) return `The run reached its limit of ${run.limits.maxTokens} tokens.`;
  const { maxCost } = run.limits;
  if (maxCost === undefined) return null;
  if (run.cost === null)
    return `The run has a limit of ${maxCost} dollars, and a model that it called has no price.`;
  return run.cost >= maxCost ? `The run reached its limit of ${maxCost} dollars.` : null;
}

function overLimit(message: string): Action {
  return {
    type: "finish_run",
    reason: "limit_reached",
    error: { code: "limit_reached", message, retryable: true },
  };
}

function act(at: NamespaceState, inFlight: ReadonlySet<string>): readonly Action[] {
  const actions: Action[] = [];
  for (const call of at.calls) {
    const action = isResolved(call.state) ? null : actOn(at, call, inFlight);
    if (action !== null) actions.push({ ...action, namespace: at.name, toolUseId: call.toolUseId });
  }
  return actions;
}

type CallAction = { readonly type: "ask" | "request_input" | "delegate" | "start_tool" | "run_tool" };

function actOn(at: NamespaceState, call: ToolCall, inFlight: ReadonlySet<string>): CallAction | null {
  if (call.state === "approval_required") return null;
  if (call.state === "pending" && call.permission === "ask") return { type: "ask" };
  if (call.kind === "client") return call.state === "executing" ? null : { type: "request_input" };
  if (call.kind === "delegate") return call.state === "executing" ? null : { type: "delegate" };
  if (call.state === "executing" || inFlight.has(call.toolUseId)) return { type: "run_tool" };
  if (!mayStart(at, call, inFlight)) return null;
  return { type: call.effect === "once" ? "start_tool" : "run_tool" };
}

/** Pure calls run side by side; any other runs alone among the server's tools of its step, in the model's order. */
function mayStart(at: NamespaceState, call: ToolCall, inFlight: ReadonlySet<string>): boolean {
  let earlier = true;
  for (const other of at.calls) {
    if (other === call) {
      earlier = false;
      continue;
    }
    if (other.kind !== "server" || isResolved(other.state)) continue;
    if (other.effect === "pure" && call.effect === "pure") continue;
    if (other.state === "executing" || inFlight.has(other.toolUseId)) return false;
    if (earlier && isStartable(other)) return false;
  }
  return true;
}

function isStartable(call: ToolCall): boolean {
  return call.state === "approved" || (call.state === "pending" && call.permission === "allow");
}

/**
 * True when no namespace can go on by itself: every open call waits for a person, a client, or a sub-agent that does, and
 * what would call its model waits for a budget.
 */
export function isWaiting(state: SessionState): boolean {
  const { run } = state;
  if (run === null) return false;
  return Object.values(state.namespaces).every((at) => {
    if (at.node === "THINK") return run.blockedBy !== null;
    if (at.node === "RESPOND") return false;
    return at.calls.every((call) => isResolved(call.state) || waitsForOthers(call));
  });
}

function waitsForOthers(call: ToolCall): boolean {
  if (call.state === "approval_required") return true;
  return call.state === "executing" && call.kind !== "server";
}

/** A place where the conversation can be cut: no step is open and no call is unanswered, so no sub-agent is at work. */
export function isStepBoundary(state: SessionState): boolean {
  const own = state.namespaces[root];
  return own?.step === null && own.calls.every((call) => isResolved(call.state));
}
