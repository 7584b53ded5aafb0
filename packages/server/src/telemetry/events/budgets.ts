import type { EventScope, Sinks } from "./scope.ts";

interface BudgetMet extends EventScope {
  readonly budgetId: string;
  readonly scope: string;
  readonly unit: string;
  readonly limit: number;
  readonly spent: number;
}

export interface BudgetWarned extends BudgetMet {
  readonly level: "share" | "limit";
}

/** What happens at the limits of budgets. */
export function budgetEvents({ logger, metrics }: Sinks) {
  return {
    /** A run waits for it. */
    budgetReached(event: BudgetMet): void {
      metrics.budgetPauses.inc({ scope: event.scope });
      logger.warn({ ...event }, "run waits for a budget");
    },

    budgetWarned(event: BudgetWarned): void {
      metrics.budgetWarnings.inc({ level: event.level });
      logger.info({ ...event }, "run was told of a budget");
    },
  };
}
