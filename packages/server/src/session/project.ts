import type { SessionEvent } from "@berth/contract";
import { statusOfReason } from "./decide-run.ts";
import { type SessionState, statusOf } from "./state.ts";

/** Rows that can be listed, as events change them. The same shape as the store's Projection. */
export interface Projected {
  readonly session: Readonly<Record<string, unknown>>;
  readonly runs: readonly ({ readonly id: string } & Readonly<Record<string, unknown>>)[];
  readonly approvals: readonly ApprovalRow[];
  readonly timers: {
    readonly set: readonly TimerRow[];
    readonly clear: readonly Pick<TimerRow, "kind" | "ref">[];
  };
  readonly rewind?: { readonly at: number; readonly toSeq: number };
  /** Budgets that the run waits for from now on, when that changed. */
  readonly budgetWaits?: readonly string[];
}

/** An input of the mailbox, with the run that was minted for it. */
interface TakenInput {
  readonly id: string;
  readonly runId: string | null;
}

interface TimerRow {
  readonly kind: "approval" | "client_tool" | "budget";
  readonly ref: string;
  readonly dueAt: number;
}

type ApprovalRow =
  | {
      readonly op: "insert";
      readonly row: {
        readonly id: string;
        readonly runId: string;
        readonly toolUseId: string;
        readonly tool: string;
        readonly input: unknown;
        readonly inputHash: string;
        readonly path: readonly string[];
        readonly createdAt: number;
        readonly expiresAt: number;
      };
    }
  | {
      readonly op: "decide";
      readonly id: string;
      readonly status: "allowed" | "denied" | "edited" | "expired" | "cancelled";
      readonly decidedBy: string | null;
      readonly note: string | null;
      readonly decidedAt: number;
      readonly input?: unknown;
      readonly inputHash?: string;
    };

type Draft = {
  runs: Map<string, { id: string } & Record<string, unknown>>;
  approvals: ApprovalRow[];
  set: TimerRow[];
  clear: Pick<TimerRow, "kind" | "ref">[];
  rewind?: { at: number; toSeq: number };
  budgetWaits?: readonly string[];
};

/** What the events of one commit change in the lists, given the states around them and the inputs that they take. */
export function project(
  before: SessionState,
  events: readonly SessionEvent[],
  after: SessionState,
  taken: readonly TakenInput[] = [],
): Projected {
  const draft: Draft = { runs: new Map(), approvals: [], set: [], clear: [] };
  const pending = new Set(Object.keys(before.approvals));
  const awaited = awaitedCalls(before);
  for (const event of events) {
    note(draft, pending, event);
    if (event.type === "user.message" && event.data.steered) noteJoined(draft, event, taken);
    if (event.type !== "agent.tool_result") continue;
    const { toolUseId: ref } = event.data;
    const sameCommit = draft.set.some((timer) => timer.ref === ref);
    if (awaited.has(ref) || sameCommit) draft.clear.push({ kind: "client_tool", ref });
  }
  noteBudgets(draft, before, after, events);
  const run = after.run;
  if (run !== null) {
    const status = run.waitingSince === null ? "running" : "waiting";
    merge(draft, run.id, { status, usage: run.usage, cost: run.cost, steps: run.steps });
  }
  return {
    session: sessionRow(before, after, events),
    runs: [...draft.runs.values()],
    approvals: draft.approvals,
    timers: { set: draft.set.filter((timer) => !isCleared(draft, timer)), clear: draft.clear },
    ...(draft.rewind !== undefined && { rewind: draft.rewind }),
    ...(draft.budgetWaits !== undefined && { budgetWaits: draft.budgetWaits }),
  };
}

/** A steering message joined the run that went on, so the run that was minted for it will not begin. */
function noteJoined(draft: Draft, event: SessionEvent<"user.message">, taken: readonly TakenInput[]): void {
  const own = taken.find((input) => input.id === event.inputId)?.runId ?? null;
  if (own === null) return;
  const message = `Its message joined the run ${event.data.runId}, which was going on.`;
  const error = { code: "joined", message, retryable: false };
  merge(draft, own, { status: "cancelled", error, finishedAt: Date.parse(event.at) });
}

/** A run that begins to wait for budgets is found by them, and by a timer at the first end of one's period. */
function noteBudgets(
  draft: Draft,
  { run: was }: SessionState,
  { run }: SessionState,
  events: readonly SessionEvent[],
): void {
  const waited = was?.blockedBy ?? null;
  const waits = run?.blockedBy ?? null;
  if (waits === waited) return;
  draft.budgetWaits = waits ?? [];
  if (was !== null && waited !== null) draft.clear.push({ kind: "budget", ref: was.id });
  if (run === null || waits === null) return;
  const reached = events.flatMap((event) => (event.type === "budget.reached" ? event.data.budgets : []));
  const ends = reached.flatMap(({ resetsAt }) => (resetsAt === null ? [] : [Date.parse(resetsAt)]));
  if (ends.length > 0) draft.set.push({ kind: "budget", ref: run.id, dueAt: Math.min(...ends) });
}

function awaitedCalls(state: SessionState): ReadonlySet<string> {
  const calls = Object.values(state.namespaces).flatMap((at) => at.calls);
  return new Set(calls.filter((call) => call.kind === "client").map((call) => call.toolUseId));
}

function sessionRow(
  before: SessionState,
  after: SessionState,
  events: readonly SessionEvent[],
): Record<string, unknown> {
  const changed = events.find(
    (event) => event.type === "session.updated" || event.type === "session.rewound",
  );
  const about = changed && {
    agent: after.agent,
    title: after.title,
    metadata: after.metadata,
    model: after.model,
  };
  const spent = before.usage === after.usage ? {} : { usage: after.usage };
  return { ...about, ...spent, status: statusOf(after), currentRunId: after.run?.id ?? null };
}

function note(draft: Draft, pending: Set<string>, event: SessionEvent): void {
  const at = Date.parse(event.at);
  const { runId = "" } = event;
  switch (event.type) {
    case "run.started":
      return merge(draft, runId, { status: "running", startedAt: at });
    case "run.finished": {
      const { reason, usage, cost, steps, error, recovery } = event.data;
      for (const id of pending)
        decide(draft, pending, { id, status: "cancelled", decidedBy: null, note: null, decidedAt: at });
      const ended = { status: statusOfReason(reason), reason, usage, cost, steps, finishedAt: at };
      return merge(draft, runId, {
        ...ended,
        ...(error && { error }),
        ...(recovery && { recovery }),
      });
    }
    case "input.refused": {
      const { inputType, ref, code, message } = event.data;
      if (ref === undefined || (inputType !== "user.message" && inputType !== "run.retry")) return;
      return merge(draft, ref, {
        status: "cancelled",
        error: { code, message, retryable: false },
        finishedAt: at,
      });
    }
    case "approval.requested": {
      const { approvalId: id, toolUseId, name: tool, input, inputHash, path, expiresAt } = event.data;
      const expires = Date.parse(expiresAt);
      pending.add(id);
      draft.set.push({ kind: "approval", ref: id, dueAt: expires });
      const row = {
        id,
        runId,
        toolUseId,
        tool,
        input,
        inputHash,
        path,
        createdAt: at,
        expiresAt: expires,
      };
      draft.approvals.push({ op: "insert", row });
      return;
    }
    case "approval.decided": {
      const { approvalId: id, decision, note: said, input, inputHash } = event.data;
      const status = ({ allow: "allowed", deny: "denied", edit: "edited" } as const)[decision];
      const edited = decision === "edit" && inputHash !== undefined ? { input, inputHash } : {};
      return decide(draft, pending, {
        id,
        status,
        decidedBy: event.actor.id,
        note: said ?? null,
        decidedAt: at,
        ...edited,
      });
    }
    case "approval.expired":
      return decide(draft, pending, {
        id: event.data.approvalId,
        status: "expired",
        decidedBy: null,
        note: null,
        decidedAt: at,
      });
    case "input.requested":
      draft.set.push({
        kind: "client_tool",
        ref: event.data.toolUseId,
        dueAt: Date.parse(event.data.expiresAt),
      });
      return;
    case "session.rewound":
      draft.rewind = { at: event.seq, toSeq: event.data.toSeq };
      return;
    default:
      return;
  }
}

function decide(
  draft: Draft,
  pending: Set<string>,
  change: Omit<Extract<ApprovalRow, { op: "decide" }>, "op">,
): void {
  pending.delete(change.id);
  draft.approvals.push({ op: "decide", ...change });
  draft.clear.push({ kind: "approval", ref: change.id });
}

function isCleared(draft: Draft, timer: TimerRow): boolean {
  return draft.clear.some((cleared) => cleared.kind === timer.kind && cleared.ref === timer.ref);
}

function merge(draft: Draft, id: string, change: Record<string, unknown>): void {
  draft.runs.set(id, { ...draft.runs.get(id), id, ...change });
}

/** Blobs that the events of one commit name: the log keeps them alive. */
export function blobsOf(events: readonly SessionEvent[]): readonly string[] {
  const hashes = new Set<string>();
  for (const event of events) {
    if (event.type === "agent.tool_result" && event.data.output) hashes.add(event.data.output.hash);
    if (event.type === "file.changed" && event.data.blob) hashes.add(event.data.blob.hash);
    if (event.type === "run.finished" && event.data.manifest) hashes.add(event.data.manifest);
    if (event.type === "session.forked" && event.data.manifest) hashes.add(event.data.manifest);
    if (
      event.type !== "user.message" &&
      event.type !== "system.message" &&
      event.type !== "agent.tool_result"
    )
      continue;
    if (typeof event.data.content === "string") continue;
    for (const part of event.data.content) if (part.type !== "text" && part.blob) hashes.add(part.blob.hash);
  }
  return [...hashes];
}
