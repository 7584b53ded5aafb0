import type { BudgetNotice } from "@berth/contract";
import { warningKey } from "../session/evolve-run.ts";
import { type BudgetState, type Blocking, nanosPerDollar } from "../store/budgets.ts";
import type { Draft } from "./draft.ts";
import type { SessionAtWork } from "./session-at-work.ts";
import { endRun } from "./transitions.ts";

const core = { type: "system", id: "budget" } as const;

/**
 * Writes what follows when a model call must not be made. `pause`: the run waits, as soon as nothing of it is under way any more.
 * `deny`: it ends. A model without a price under a budget of money ends it too. True when it has to look again soon instead: the calls
 * under way may use the budget up, or the run's own are still going on.
 */
export async function meetBudget(
  actor: SessionAtWork,
  draft: Draft,
  blocking: readonly Blocking[],
): Promise<boolean> {
  if (draft.state.run === null) return false;
  const unpriced = blocking.find(({ why }) => why === "unpriced");
  if (unpriced !== undefined) {
    const error = { code: "model_not_priced", message: notPriced(unpriced.budget), retryable: false };
    await endRun(actor, draft, { reason: "error", error });
    return false;
  }
  const reached = blocking.filter(({ why }) => why === "reached").map(({ budget }) => budget);
  const denies = reached.find(({ onLimit }) => onLimit === "deny");
  if (denies !== undefined) {
    const error = { code: "budget_reached", message: usedUp(denies), retryable: true };
    await endRun(actor, draft, { reason: "budget_reached", error, budget: noticeOf(denies) });
    return false;
  }
  if (reached.length === 0) return blocking.length > 0;
  // A run that waits can leave its worker: what it has under way comes to its end first.
  if (actor.effects.size > 0 || actor.effects.keys().length > 0) return true;
  draft.add([{ type: "budget.reached", actor: core, data: { budgets: reached.map(noticeOf) } }]);
  return false;
}

/** True when only calls under way are in the way. */
export function isBusy(blocking: readonly Blocking[]): boolean {
  return blocking.every(({ why }) => why === "busy");
}

/** Tells the run once of each budget that it goes beyond. */
export function tellOverruns(actor: SessionAtWork, draft: Draft): void {
  for (const { level, budget } of actor.calls.overruns.splice(0)) {
    const { run } = draft.state;
    if (run === null || run.warned.includes(warningKey(budget.id, level))) continue;
    draft.add([{ type: "budget.warned", actor: core, data: { level, budget: noticeOf(budget) } }]);
  }
}

function noticeOf(budget: BudgetState): BudgetNotice {
  const { id, scope, target, unit, period, onLimit, endsAt } = budget;
  return {
    budgetId: id,
    scope,
    target: target === "" ? null : target,
    unit,
    period,
    limit: shown(budget, budget.amount),
    spent: shown(budget, budget.spent),
    onLimit,
    resetsAt: endsAt === null ? null : new Date(endsAt).toISOString(),
  };
}

function shown({ unit }: Pick<BudgetState, "unit">, amount: number): number {
  return unit === "usd" ? amount / nanosPerDollar : amount;
}

const whose = {
  org: "The organization's budget",
  user: "The budget of the session's owner",
  agent: "The agent's budget",
  session: "The session's budget",
  run: "The run's budget",
} as const;

function usedUp(budget: BudgetState): string {
  const { scope, unit, period, amount } = budget;
  const limit = unit === "usd" ? `${shown(budget, amount)} dollars` : `${amount} tokens`;
  const time = period === "total" ? "" : ` for this ${period}`;
  return `${whose[scope]} of ${limit}${time} is used up.`;
}

function notPriced({ scope }: BudgetState): string {
  return (
    `${whose[scope]} counts money, and a model that this agent may call has no price: give the model a price in the ` +
    "provider's configuration, or set a budget of tokens."
  );
}
