import type { BudgetRecord, OrgBudgets, Reserve } from "../../budgets.ts";
import type { AppendOutcome, Outcome } from "../../store.ts";
import type { LedgerEntry } from "../../usage.ts";

type InOrg<T> = T & { readonly orgId: string };
type Change<K extends "create" | "update" | "remove" | "allow"> = InOrg<Parameters<OrgBudgets[K]>[0]>;
type Changed<K extends "update" | "remove" | "allow"> = Awaited<ReturnType<OrgBudgets[K]>>;

/** What changes budgets, and reserves outside of an append. */
export interface BudgetOperations {
  createBudget(args: Change<"create">): Outcome<BudgetRecord>;
  updateBudget(args: Change<"update">): Changed<"update">;
  removeBudget(args: Change<"remove">): Changed<"remove">;
  allowBudget(args: Change<"allow">): Changed<"allow">;
  reserve(args: {
    readonly orgId: string;
    readonly sessionId: string;
    readonly epoch: number;
    readonly reserves: readonly Reserve[];
    readonly settles: readonly LedgerEntry[];
  }): AppendOutcome;
}
