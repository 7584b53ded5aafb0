import type {
  AgentRef,
  Content,
  Effect,
  RunLimits,
  RunReason,
  SessionStatus,
  Todo,
  ToolContent,
  ToolErrorType,
  Usage,
} from "@berth/contract";
import { AppendList } from "../lib/append-list.ts";
import type { FileChanges } from "./file-changes.ts";
import type { Node } from "./graph.ts";
import type { CallState } from "./tool-call.ts";

/** Raised when a snapshot of an older shape can no longer be read as this one. */
export const stateVersion = 3;

/** A session as its effective log tells it: `fold(evolve, events)`. */
export interface SessionState {
  readonly sessionId: string;
  readonly seq: number;
  readonly owner: string;
  readonly key: string | null;
  readonly agent: AgentRef;
  readonly title: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Overrides the agent's model. */
  readonly model: string | null;
  readonly archived: boolean;
  readonly todos: readonly Todo[];
  /** Of the raw log: a rewind does not give tokens back. */
  readonly usage: Usage;
  readonly run: RunState | null;
  /** The run that ended last, for a retry. */
  readonly lastRun: { readonly id: string; readonly reason: RunReason } | null;
  /** The session's own agent under "", and one entry for each sub-agent at work. */
  readonly namespaces: Readonly<Record<string, NamespaceState>>;
  /** Approvals that the current run waits for, by id. */
  readonly approvals: Readonly<Record<string, PendingApproval>>;
  /** Newest workspace manifest and the seq of the event that names it. */
  readonly manifest: { readonly hash: string; readonly seq: number } | null;
  /** Changes of files by inputs (uploads, moves, deletions) that are not in the manifest. */
  readonly fileChanges: FileChanges;
  /** A tool may have changed files since: manifest and changes together do not tell all of them. */
  readonly toolsTouched: boolean;
  /** A tool or an input touched the workspace since it was kept by a manifest, or made what manifest and changes say. */
  readonly workspaceDirty: boolean;
  /** Measured size of what this state holds, in bytes, counted as events are applied. */
  readonly bytes: number;
}

export interface RunState {
  readonly id: string;
  readonly agent: AgentRef;
  readonly model: string;
  readonly limits: RunLimits;
  /** Seq of the message that began it (of run.started for a retry): what a rollback goes before. */
  readonly firstSeq: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly steps: number;
  readonly usage: Usage;
  /** Null as soon as one of its calls has no price. */
  readonly cost: number | null;
  readonly subagents: number;
  /** Time that the run only waited for people. */
  readonly waitedMs: number;
  readonly waitingSince: number | null;
  /** Ids of the budgets that it waits for: until one of them has more, no model call begins. */
  readonly blockedBy: readonly string[] | null;
  /** Budgets that it has been told of, as `id/level`. */
  readonly warned: readonly string[];
}

export interface NamespaceState {
  readonly name: string;
  readonly agent: AgentRef;
  readonly model: string;
  /** The call that it works for; null for the session's own agent. */
  readonly parent: { readonly namespace: string; readonly toolUseId: string } | null;
  readonly depth: number;
  readonly node: Node;
  readonly step: OpenStep | null;
  readonly items: AppendList<ContextItem>;
  /** Calls of the last step, in the model's order. Empty once the next step begins. */
  readonly calls: readonly ToolCall[];
  /** Text of the last message, a sub-agent's result. */
  readonly lastText: string;
  readonly tokens: TokenCount;
}

export interface OpenStep {
  readonly id: string;
  readonly model: string;
  readonly startedAt: number;
  readonly estimatedTokens: number;
}

/** `reported` is what the provider counted at the last step; `since` estimates what came after it. */
export interface TokenCount {
  readonly reported: number;
  readonly since: number;
}

export interface ToolCall {
  readonly toolUseId: string;
  readonly messageId: string;
  readonly name: string;
  readonly kind: "server" | "client" | "delegate" | "unknown";
  readonly effect: Effect;
  readonly permission: "allow" | "ask" | "deny";
  readonly input: unknown;
  readonly inputHash: string;
  readonly state: CallState;
  /** A client tool's wait, milliseconds. */
  readonly timeoutMs: number | null;
}

export interface PendingApproval {
  readonly id: string;
  readonly toolUseId: string;
  readonly namespace: string;
  readonly expiresAt: string;
}

/** What the model is told, one item for each event that says something to it. */
export type ContextItem =
  | { readonly kind: "user"; readonly seq: number; readonly content: Content }
  | { readonly kind: "system"; readonly seq: number; readonly content: Content }
  | { readonly kind: "summary"; readonly seq: number; readonly text: string }
  | { readonly kind: "text"; readonly seq: number; readonly messageId: string; readonly text: string }
  | {
      readonly kind: "thinking";
      readonly seq: number;
      readonly messageId: string;
      readonly text: string;
      readonly signature?: string;
    }
  | {
      readonly kind: "tool_use";
      readonly seq: number;
      readonly messageId: string;
      readonly toolUseId: string;
      readonly name: string;
      readonly input: unknown;
      readonly signature?: string;
    }
  | {
      readonly kind: "tool_result";
      readonly seq: number;
      readonly toolUseId: string;
      readonly name: string;
      readonly ok: boolean;
      readonly content: ToolContent;
      readonly errorType?: ToolErrorType;
      readonly note?: string;
      readonly suggestions?: readonly string[];
    };

export const noUsage: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  };
}

/** Shared by all sessions that wait for no approval. */
export const noApprovals: SessionState["approvals"] = {};

/** Before the first event. */
export const initialState: SessionState = {
  sessionId: "",
  seq: 0,
  owner: "",
  key: null,
  agent: { id: "", version: 0, name: "" },
  title: null,
  metadata: {},
  model: null,
  archived: false,
  todos: [],
  usage: noUsage,
  run: null,
  lastRun: null,
  namespaces: {},
  approvals: noApprovals,
  manifest: null,
  fileChanges: [],
  toolsTouched: false,
  workspaceDirty: false,
  bytes: 0,
};

export function newNamespace(
  start: Pick<NamespaceState, "name" | "agent" | "model" | "parent" | "depth">,
): NamespaceState {
  return {
    ...start,
    node: "THINK",
    step: null,
    items: AppendList.empty(),
    calls: [],
    lastText: "",
    tokens: { reported: 0, since: 0 },
  };
}

/** The namespace of the session's own agent. */
export const root = "";

export function statusOf(state: SessionState): Exclude<SessionStatus, "quarantined"> {
  if (state.archived) return "archived";
  if (state.run === null) return "idle";
  return state.run.waitingSince === null ? "running" : "waiting";
}
