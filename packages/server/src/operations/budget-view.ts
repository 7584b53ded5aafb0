import type { Budget, UsageSum } from "@berth/contract";
import { type BudgetRecord, nanosPerDollar } from "../store/budgets.ts";
import type { UsageRecord } from "../store/usage.ts";
import { timeOrNull, timeText } from "./views.ts";

export function budgetView(record: BudgetRecord): Budget {
  const { id, scope, target, unit, period, onLimit, warnAt, waiting, createdBy } = record;
  const { amount, spent, reserved, endsAt } = record;
  const shown = (value: number) => (unit === "usd" ? value / nanosPerDollar : value);
  return {
    id,
    scope,
    target: target === "" ? null : target,
    unit,
    period,
    limit: shown(amount),
    onLimit,
    warnAt,
    spent: shown(spent),
    reserved: shown(reserved),
    remaining: shown(Math.max(0, amount - spent)),
    resetsAt: timeOrNull(endsAt),
    waiting,
    createdBy,
    createdAt: timeText(record.createdAt),
    updatedAt: timeText(record.updatedAt),
  };
}

/** `name`: of the agent that the group is about. */
export function usageView(record: UsageRecord, name: string | null): UsageSum {
  const { key, modelCalls, toolCalls, failed, estimated, unpriced, usage, cost, durationMs } = record;
  return {
    key,
    name,
    modelCalls,
    toolCalls,
    failedCalls: failed,
    estimatedCalls: estimated,
    unpricedCalls: unpriced,
    usage,
    cost: cost / nanosPerDollar,
    durationMs,
  };
}
