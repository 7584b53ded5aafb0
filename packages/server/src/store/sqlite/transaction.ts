import type { Clock } from "../../lib/clock.ts";
import type { Connection } from "./connection.ts";
import type { AppendHints } from "./append-hints.ts";
import type { BudgetOrgs } from "./budget-orgs.ts";

/** The store's time, when a batch begins. */
export interface StoreTime {
  /** Milliseconds since 1970, for what people see and what is due at a time of day. */
  readonly now: number;
  /**
   * Milliseconds that never go back and do not jump with the wall clock, for leases: a clock that is put right must not make every
   * worker look dead, or a dead one alive. Counts within one opening of the store, which forgets the workers of all earlier ones.
   */
  readonly steady: number;
}

export function timeOf(clock: Clock): StoreTime {
  return { now: clock.now(), steady: clock.monotonic() };
}

/** What an operation works with: the open transaction of its batch, and the store's time for all of it. */
export interface Transaction extends StoreTime {
  readonly sql: Connection["sql"];
  readonly hints: AppendHints;
  readonly budgets: BudgetOrgs;
}
