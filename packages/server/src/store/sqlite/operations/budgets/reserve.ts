import type { Blocking, Overrun, Reserve } from "../../../budgets.ts";
import { budgetsInScope, type Counted, type Payer } from "../../queries/budgets.ts";
import { sumOf } from "../../queries/sums.ts";
import type { Transaction } from "../../transaction.ts";
import type { SpendingSession } from "./ledger.ts";
import { amountOf, count, nothing } from "./settle.ts";

/** What came of it: what is in the way (then the caller undoes all of it), or the budgets to tell of. */
export interface Reserved {
  readonly blocking: readonly Blocking[];
  readonly overruns: readonly Overrun[];
}

/**
 * Sets aside what calls may come to. A call is let through while anything is left: `spent + reserved < amount`. So what is spent exceeds
 * a limit by one call's reserve at most, and a budget that is smaller than one reserve can be used up all the same.
 */
export function reserveCalls(
  tx: Transaction,
  session: SpendingSession,
  reserves: readonly Reserve[],
): Reserved {
  const overruns = new Map<string, Overrun>();
  for (const reserve of reserves) {
    const payer = { ...session, owner: reserve.owner, agents: reserve.agents, runId: reserve.runId };
    const budgets = budgetsInScope(tx.sql, payer, reserve.at);
    const blocking = blockingOf(tx, { payer, budgets, reserve });
    if (blocking.length > 0) return { blocking, overruns: [] };
    for (const budget of budgets) {
      const level = levelOf(budget);
      if (level !== null) overruns.set(budget.id, { level, budget: stateOf(budget) });
    }
    insertReserve(tx, session, reserve);
    count(tx, payer, {
      at: reserve.at,
      spent: nothing,
      reserved: amountOf({ usage: reserve, cost: reserve.cost }),
    });
  }
  return { blocking: [], overruns: [...overruns.values()] };
}

function blockingOf(
  tx: Transaction,
  call: { payer: Payer; budgets: readonly Counted[]; reserve: Reserve },
): readonly Blocking[] {
  const { payer, reserve } = call;
  const held = call.budgets.filter(({ onLimit }) => onLimit !== "warn");
  const unpriced = reserve.cost === null && !held.some(({ unit }) => unit === "tokens");
  return held.flatMap((budget): Blocking[] => {
    if (unpriced && budget.unit === "usd") return [{ why: "unpriced", budget: stateOf(budget) }];
    if (budget.spent + budget.reserved < budget.amount || isAllowed(tx, payer, budget)) return [];
    const why = budget.spent >= budget.amount ? "reached" : "busy";
    return [{ why, budget: stateOf(budget) }];
  });
}

/** Whether somebody let this run go on beyond the budget, and it has not used that up: its calls under way count. */
export function isAllowed(
  tx: Transaction,
  { orgId, runId }: Pick<Payer, "orgId" | "runId">,
  { id, unit }: Pick<Counted, "id" | "unit">,
): boolean {
  const allowance = tx
    .sql<{ room: number }>(
      "SELECT granted - used AS room FROM budget_allowances WHERE org_id = ? AND budget_id = ? AND run_id = ?",
    )
    .get(orgId, id, runId);
  if (allowance === undefined || allowance.room <= 0) return false;
  const amount = unit === "usd" ? "coalesce(cost, 0)" : "input_tokens + output_tokens";
  const open = tx
    .sql<{ sum: number }>(
      `SELECT ${sumOf(amount)} AS sum FROM budget_reserves WHERE org_id = ? AND run_id = ?`,
    )
    .get(orgId, runId);
  return (open?.sum ?? 0) < allowance.room;
}

function levelOf({ onLimit, spent, amount, warnAt }: Counted): Overrun["level"] | null {
  if (onLimit === "warn" && spent >= amount) return "limit";
  return warnAt !== null && spent >= warnAt * amount ? "share" : null;
}

function stateOf(budget: Counted): Blocking["budget"] {
  const { id, scope, target, unit, period, amount, onLimit, spent, reserved, endsAt } = budget;
  return { id, scope, target, unit, period, amount, onLimit, spent, reserved, endsAt };
}

function insertReserve(tx: Transaction, { orgId, no }: SpendingSession, reserve: Reserve): void {
  const { call, at, kind, model, inputTokens, outputTokens, cost, owner, agents, runId } = reserve;
  tx.sql(`INSERT INTO budget_reserves (org_id, session_no, call, at, kind, model, input_tokens, output_tokens, cost, owner, agents,
      run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    orgId,
    no,
    call,
    at,
    kind,
    model,
    inputTokens,
    outputTokens,
    cost,
    owner,
    agents.join(" "),
    runId,
  );
}
