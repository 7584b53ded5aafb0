import type { AgentRef, SessionEvent } from "@berth/contract";
import { withFiles } from "./evolve-session.ts";
import { graph } from "./graph.ts";
import {
  addUsage,
  noApprovals,
  noUsage,
  root,
  type RunState,
  type SessionState,
  type ToolCall,
} from "./state.ts";
import { type CallSignal, callTransitions } from "./tool-call.ts";

type RunLevel =
  | "run.started"
  | "run.finished"
  | "approval.requested"
  | "approval.decided"
  | "approval.expired"
  | "budget.reached"
  | "budget.released"
  | "budget.warned";

/** Events about a run as a whole, and about the people that it asks. */
export function evolveRun(state: SessionState, event: SessionEvent<RunLevel>): SessionState {
  switch (event.type) {
    case "run.started":
      return startRun(state, event);
    case "run.finished":
      return finishRun(state, event);
    case "approval.requested": {
      const { approvalId: id, toolUseId, expiresAt } = event.data;
      const approvals = {
        ...state.approvals,
        [id]: { id, toolUseId, namespace: event.namespace, expiresAt },
      };
      return signalCall({ ...state, approvals }, event.namespace, toolUseId, "ask");
    }
    case "approval.decided": {
      const { approvalId, toolUseId, decision, input, inputHash } = event.data;
      const decided = { ...state, approvals: without(state.approvals, approvalId) };
      // A denial's result follows in the same commit and resolves the call.
      if (decision === "deny") return decided;
      const edited = decision === "edit" && inputHash !== undefined ? { input, inputHash } : {};
      return signalCall(decided, event.namespace, toolUseId, "allow", edited);
    }
    case "approval.expired":
      return { ...state, approvals: without(state.approvals, event.data.approvalId) };
    case "budget.reached":
      return changeRun(state, { blockedBy: event.data.budgets.map(({ budgetId }) => budgetId) });
    case "budget.released":
      return changeRun(state, { blockedBy: null });
    case "budget.warned": {
      const { level, budget } = event.data;
      return changeRun(state, { warned: [...(state.run?.warned ?? []), warningKey(budget.budgetId, level)] });
    }
  }
}

/** What a run keeps of a warning, so that it is told once. */
export function warningKey(budgetId: string, level: "share" | "limit"): string {
  return `${budgetId}/${level}`;
}

function changeRun(state: SessionState, change: Partial<RunState>): SessionState {
  return state.run === null ? state : { ...state, run: { ...state.run, ...change } };
}

function startRun(state: SessionState, event: SessionEvent<"run.started">): SessionState {
  const { agent, model, limits } = event.data;
  const own = state.namespaces[root];
  if (own === undefined) return state;
  const last = own.items.last();
  const firstSeq = last?.kind === "user" && last.seq === event.seq - 1 ? last.seq : event.seq;
  const run = {
    id: event.runId ?? "",
    agent,
    model,
    limits,
    firstSeq,
    startedAt: Date.parse(event.at),
    steps: 0,
    usage: noUsage,
    cost: 0,
    subagents: 0,
    waitedMs: 0,
    waitingSince: null,
    blockedBy: null,
    warned: [],
  };
  // The run's agent lives as long as its session does: mostly it is one that is kept already.
  const kept = isSameAgent(agent, state.agent) ? state.agent : agent;
  const begun = { ...own, agent: kept, model, node: graph[own.node].begin, calls: [], step: null };
  return { ...state, run, namespaces: { [root]: begun } };
}

function isSameAgent(a: AgentRef, b: AgentRef): boolean {
  return a.id === b.id && a.version === b.version && a.name === b.name;
}

function finishRun(state: SessionState, event: SessionEvent<"run.finished">): SessionState {
  const own = state.namespaces[root];
  if (own === undefined) return state;
  const { reason, manifest } = event.data;
  const lastRun = { id: event.runId ?? "", reason };
  const ended = { ...own, node: graph[own.node].finished, step: null, calls: [] };
  const over = { ...state, run: null, lastRun, approvals: noApprovals, namespaces: { [root]: ended } };
  if (manifest === undefined) return over;
  return withFiles(over, { manifest: { hash: manifest, seq: event.seq }, fileChanges: [] });
}

/** Adds what a model call cost to the run and to the session. */
export function addSpending(
  state: SessionState,
  spent: { usage: NonNullable<SessionState["usage"]>; cost: number | null },
): SessionState {
  const usage = addUsage(state.usage, spent.usage);
  if (state.run === null) return { ...state, usage };
  const cost = state.run.cost === null || spent.cost === null ? null : state.run.cost + spent.cost;
  return { ...state, usage, run: { ...state.run, usage: addUsage(state.run.usage, spent.usage), cost } };
}

/** Moves one call along its transition table. */
export function signalCall(
  state: SessionState,
  namespace: string,
  toolUseId: string,
  signal: CallSignal,
  change: Partial<Pick<ToolCall, "input" | "inputHash">> = {},
): SessionState {
  const at = state.namespaces[namespace];
  if (at === undefined) return state;
  const calls = at.calls.map((call) =>
    call.toolUseId === toolUseId ? { ...call, ...change, state: callTransitions[call.state][signal] } : call,
  );
  return { ...state, namespaces: { ...state.namespaces, [namespace]: { ...at, calls } } };
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  const { [key]: _, ...rest } = record;
  return rest;
}
