import type { BudgetOnLimit, BudgetPeriod, BudgetScope, BudgetUnit, Page } from "@berth/contract";
import type { Audited, Creation } from "./identity.ts";
import type { Outcome } from "./outcome.ts";

// What may be spent. An amount is tokens, or billionths of a US dollar, so that sums are exact. Times are milliseconds since 1970.

export interface BudgetRecord {
  readonly orgId: string;
  readonly id: string;
  readonly scope: BudgetScope;
  /** Id of the user, agent, session or run; empty for the organization. */
  readonly target: string;
  readonly unit: BudgetUnit;
  readonly period: BudgetPeriod;
  readonly amount: number;
  readonly onLimit: BudgetOnLimit;
  /** Share of the amount; null: never. */
  readonly warnAt: number | null;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** In the current period, as the ledger has it. */
  readonly spent: number;
  /** Of the calls under way. */
  readonly reserved: number;
  /** When the current period is over; null: never. */
  readonly endsAt: number | null;
  /** Sessions whose run waits for it. */
  readonly waiting: number;
}

/** A budget as a call met it. */
export type BudgetState = Pick<
  BudgetRecord,
  "id" | "scope" | "target" | "unit" | "period" | "amount" | "onLimit" | "spent" | "reserved" | "endsAt"
>;

export type CallKind = "model" | "compaction";

/** Whom a call is counted to, beside its organization and session. */
export interface CallScope {
  readonly owner: string;
  /** Ids of the agent that calls and of those above it. */
  readonly agents: readonly string[];
  readonly runId: string;
}

/** The most that a model call may come to, set aside before it is made. Taken in an organization with budgets, and ignored in others. */
export interface Reserve extends CallScope {
  /** Id of the step or the compaction. */
  readonly call: string;
  /** When it begins: the period that it is counted in. */
  readonly at: number;
  readonly kind: CallKind;
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Null: one of the models that may be called has no price. */
  readonly cost: number | null;
}

/**
 * Why a call must not be made. `reached`: what was spent is at the limit. `busy`: the calls under way may come to it. `unpriced`: it
 * counts money, and the model has no price and no budget of tokens holds it.
 */
export interface Blocking {
  readonly why: "reached" | "busy" | "unpriced";
  readonly budget: BudgetState;
}

/** Budgets that let a call be made and are to be told of: `limit` is reached, or the share from which on it is warned. */
export interface Overrun {
  readonly level: "limit" | "share";
  readonly budget: BudgetState;
}

/** A session that was given an input and wants to be woken. */
export interface WokenSession {
  readonly orgId: string;
  readonly id: string;
  readonly owner: string;
  readonly holder: string | null;
}

/** `OrgStore.budgets`. */
export interface OrgBudgets {
  /** Counts at once what the ledger holds of its current period, and the calls under way. */
  create(
    change: Creation & {
      readonly budget: Pick<
        BudgetRecord,
        "id" | "scope" | "target" | "unit" | "period" | "amount" | "onLimit" | "warnAt" | "createdBy"
      >;
    },
  ): Promise<Outcome<BudgetRecord>>;
  find(id: string): Promise<BudgetRecord | null>;
  /** Newest first. */
  list(filter: {
    readonly limit: number;
    readonly after?: string;
    readonly scope?: BudgetScope;
    readonly target?: string;
  }): Promise<Page<BudgetRecord>>;
  /** Units of the budgets of these scopes that hold calls back. */
  limitedUnits(
    targets: readonly { readonly scope: BudgetScope; readonly target: string }[],
  ): Promise<ReadonlySet<BudgetUnit>>;
  /** Every session that waits for it gets a control input in the same transaction. Null when there is none. */
  update(
    change: Audited & {
      readonly id: string;
      readonly amount?: number;
      readonly onLimit?: BudgetOnLimit;
      readonly warnAt?: number | null;
    },
  ): Promise<{ readonly budget: BudgetRecord; readonly woken: readonly WokenSession[] } | null>;
  /** As updating does. Null when there is none. */
  remove(
    change: Audited & { readonly id: string },
  ): Promise<{ readonly woken: readonly WokenSession[] } | null>;
  /** Lets one run spend so much more than the budget has, counted from now on. Null when there is no such budget or open run. */
  allow(
    change: Audited & { readonly id: string; readonly runId: string; readonly amount: number },
  ): Promise<{ readonly budget: BudgetRecord; readonly woken: readonly WokenSession[] } | null>;
}

export const nanosPerDollar = 1_000_000_000;

/** Billionths of a dollar, rounded up; null stays null. */
export function toNanos(dollars: number | null): number | null {
  // Floating point makes 0.1 + 0.2 a little more than 0.3: that little is no reason to round up.
  return dollars === null ? null : Math.ceil(Math.round(dollars * nanosPerDollar * 1_000) / 1_000);
}

const dayMs = 86_400_000;

/** First millisecond of the period that a time lies in, UTC; 0 for `total`. */
export function periodStart(period: BudgetPeriod, at: number): number {
  if (period === "day") return Math.floor(at / dayMs) * dayMs;
  if (period === "total") return 0;
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

/** First millisecond of the next period; null for `total`. */
export function periodEnd(period: BudgetPeriod, at: number): number | null {
  if (period === "day") return periodStart("day", at) + dayMs;
  if (period === "total") return null;
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
