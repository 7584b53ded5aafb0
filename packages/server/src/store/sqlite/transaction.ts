import type { Connection } from "./connection.ts";
import type { AppendHints } from "./append-hints.ts";
import type { BudgetOrgs } from "./budget-orgs.ts";

/** What an operation works with: the open transaction of its batch, and the store's time for all of it. */
export interface Transaction {
  readonly sql: Connection["sql"];
  readonly now: number;
  readonly hints: AppendHints;
  readonly budgets: BudgetOrgs;
}
