import type { SessionEvent, Usage } from "@berth/contract";
import { noUsage, type NamespaceState, type SessionState } from "./state.ts";

/** What one call used, as the ledger keeps it. Money in US dollars. The same shape as the store's LedgerEntry but for that. */
export interface Spending {
  readonly call: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: "model" | "compaction" | "tool";
  readonly name: string;
  readonly usage: Usage;
  readonly cost: number | null;
  readonly durationMs: number;
  readonly ok: boolean;
  readonly estimated: boolean;
  readonly owner: string;
  /** The agent that called, then those above it. */
  readonly agents: readonly string[];
  readonly runId: string;
}

/** The call that an event ends, given the state before it; null when it ends none that was made. */
export function spendingOf(state: SessionState, event: SessionEvent): Spending | null {
  if (event.type === "step.finished") return stepSpending(state, event);
  if (event.type === "agent.tool_result") return toolSpending(state, event);
  return null;
}

/** Whom a call of a namespace is counted to. */
export function payersOf(
  state: SessionState,
  at: NamespaceState,
): Pick<Spending, "owner" | "agents" | "runId"> {
  return { owner: state.owner, agents: agentsOf(state, at), runId: state.run?.id ?? "" };
}

function agentsOf(state: SessionState, at: NamespaceState): readonly string[] {
  const parent = at.parent === null ? undefined : state.namespaces[at.parent.namespace];
  return parent === undefined ? [at.agent.id] : [at.agent.id, ...agentsOf(state, parent)];
}

function stepSpending(state: SessionState, event: SessionEvent<"step.finished">): Spending | null {
  const at = state.namespaces[event.namespace];
  // While a run waits for a budget no call is under way: an open step's last one was settled when its worker was lost.
  if (at === undefined || at.step === null || state.run?.blockedBy) return null;
  const { model, usage, cost, durationMs, finish, estimated } = event.data;
  return {
    call: at.step.id,
    at: at.step.startedAt,
    kind: "model",
    name: model,
    usage,
    cost,
    durationMs,
    ok: finish !== "error" && finish !== "cancelled",
    estimated: estimated === true,
    ...payersOf(state, at),
  };
}

/** A call that was refused never ran; a delegation is told by the calls of its sub-agent. */
function toolSpending(state: SessionState, event: SessionEvent<"agent.tool_result">): Spending | null {
  const at = state.namespaces[event.namespace];
  const call = at?.calls.find(({ toolUseId }) => toolUseId === event.data.toolUseId);
  const { toolUseId, name, ok, durationMs, executedHash, sealed } = event.data;
  const ran = executedHash !== undefined || (sealed === true && call?.state === "executing");
  if (at === undefined || !ran || call?.kind === "delegate") return null;
  return {
    call: toolUseId,
    at: Date.parse(event.at) - Math.round(durationMs ?? 0),
    kind: "tool",
    name,
    usage: noUsage,
    cost: null,
    durationMs: durationMs ?? 0,
    ok,
    estimated: durationMs === undefined,
    ...payersOf(state, at),
  };
}
