import type { Page, Usage } from "@berth/contract";
import type { CallScope } from "./budgets.ts";

// What was spent: one row for each model call and each tool call. Money in billionths of a US dollar, times in milliseconds.

/** One row of the ledger before it is written. It commits with the event that tells of the same. */
export interface LedgerEntry extends CallScope {
  /** Id of the step, the compaction or the tool call; unique in its session. */
  readonly call: string;
  /** When it began. Of a call with a reserve, the reserve's time counts. */
  readonly at: number;
  readonly kind: "model" | "compaction" | "tool";
  /** Of the model or the tool. */
  readonly name: string;
  readonly usage: Usage;
  /** Null: no price. */
  readonly cost: number | null;
  readonly durationMs: number;
  readonly ok: boolean;
  /** What was used is a guess: the provider did not say. */
  readonly estimated: boolean;
}

export type UsageGroup = "day" | "user" | "agent" | "model" | "tool" | "session" | "run";

export interface UsageFilter {
  readonly groupBy: UsageGroup;
  /** Milliseconds; whole days (UTC) are counted. */
  readonly from?: number;
  readonly until?: number;
  readonly owner?: string;
  /** Of the agent that called. */
  readonly agentId?: string;
  readonly model?: string;
  readonly tool?: string;
  /** Looks at the session's own rows, by the millisecond. Needed for the groups `session` and `run`. */
  readonly sessionId?: string;
  readonly runId?: string;
  readonly limit: number;
  /** Key of the last group before. */
  readonly after?: string;
}

/** Sums of one group. */
export interface UsageRecord {
  /** First millisecond of a day as text, or the id or name that the rows have in common. */
  readonly key: string;
  readonly modelCalls: number;
  readonly toolCalls: number;
  readonly failed: number;
  readonly estimated: number;
  /** Model calls without a price: their cost is not in the sum. */
  readonly unpriced: number;
  readonly usage: Usage;
  readonly cost: number;
  readonly durationMs: number;
}

/** `OrgStore.usage`. */
export interface OrgUsage {
  /** In the order of keys, days newest first. */
  sum(filter: UsageFilter): Promise<Page<UsageRecord>>;
}
