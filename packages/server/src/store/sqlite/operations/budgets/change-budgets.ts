import { BerthError } from "../../../../lib/errors.ts";
import { type BudgetRecord, periodStart } from "../../../budgets.ts";
import type { Outcome } from "../../../store.ts";
import type { ArgsOf, ResultOf } from "../../protocol.ts";
import { findBudgetRecord } from "../../queries/budgets.ts";
import { openReserves, spentOf } from "../../queries/spent.ts";
import { atMost } from "../../queries/sums.ts";
import type { Transaction } from "../../transaction.ts";
import { assignments, type Columns } from "../columns.ts";
import { once } from "../idempotency.ts";
import { addToPeriod } from "./settle.ts";
import { wakeWaiting } from "./waits.ts";

export function createBudget(tx: Transaction, args: ArgsOf<"createBudget">): Outcome<BudgetRecord> {
  return once(tx, args, () => {
    const { orgId, budget } = args;
    const { id, scope, target, unit, period, amount, onLimit, warnAt, createdBy } = budget;
    tx.sql(`INSERT INTO budgets (org_id, id, scope, target, unit, period, amount, on_limit, warn_at, created_by, created_at,
        updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
      orgId,
      id,
      scope,
      target,
      unit,
      period,
      amount,
      onLimit,
      warnAt,
      createdBy,
      tx.now,
      tx.now,
    );
    tx.budgets.forget(orgId);
    const startsAt = periodStart(period, tx.now);
    const about = { orgId, scope, target, unit, startsAt };
    const counted = { spent: spentOf(tx.sql, about), reserved: openReserves(tx.sql, about) };
    addToPeriod(tx, { orgId, id, startsAt, ...counted });
    return found(tx, orgId, id);
  });
}

export function updateBudget(tx: Transaction, args: ArgsOf<"updateBudget">): ResultOf<"updateBudget"> {
  const { orgId, id, amount, onLimit, warnAt } = args;
  const columns: Columns = {
    updated_at: tx.now,
    ...(amount !== undefined && { amount }),
    ...(onLimit !== undefined && { on_limit: onLimit }),
    ...(warnAt !== undefined && { warn_at: warnAt }),
  };
  const { changes } = tx
    .sql(`UPDATE budgets SET ${assignments(columns)} WHERE org_id = ? AND id = ?`)
    .run(...Object.values(columns), orgId, id);
  if (Number(changes) === 0) return null;
  const woken = wakeWaiting(tx, { orgId, budgetId: id, cause: "changed" });
  return { budget: found(tx, orgId, id), woken };
}

export function removeBudget(
  tx: Transaction,
  { orgId, id }: Pick<ArgsOf<"removeBudget">, "orgId" | "id">,
): ResultOf<"removeBudget"> {
  const { changes } = tx.sql("DELETE FROM budgets WHERE org_id = ? AND id = ?").run(orgId, id);
  if (Number(changes) === 0) return null;
  for (const table of ["budget_periods", "budget_allowances"])
    tx.sql(`DELETE FROM ${table} WHERE org_id = ? AND budget_id = ?`).run(orgId, id);
  tx.budgets.forget(orgId);
  // Without any budget nobody looks for reserves any more.
  if (!tx.budgets.has(tx.sql, orgId)) tx.sql("DELETE FROM budget_reserves WHERE org_id = ?").run(orgId);
  return { woken: wakeWaiting(tx, { orgId, budgetId: id, cause: "removed" }) };
}

/** A session that goes takes along its budgets and those of its runs. */
export function dropBudgetsOf(tx: Transaction, orgId: string, sessionId: string): void {
  if (!tx.budgets.has(tx.sql, orgId)) return;
  const gone = tx
    .sql<{ id: string }>(
      `SELECT id FROM budgets WHERE org_id = ?1 AND (scope, target) IN (
        SELECT 'session', ?2 UNION ALL SELECT 'run', r.id FROM runs r WHERE r.org_id = ?1 AND r.session_id = ?2)`,
    )
    .all(orgId, sessionId);
  for (const { id } of gone) removeBudget(tx, { orgId, id });
}

export function allowBudget(tx: Transaction, args: ArgsOf<"allowBudget">): ResultOf<"allowBudget"> {
  const { orgId, id, runId, amount } = args;
  const budget = findBudgetRecord(tx.sql, { orgId, id, at: tx.now });
  const run = tx
    .sql("SELECT 1 FROM runs WHERE org_id = ? AND id = ? AND finished_at IS NULL")
    .get(orgId, runId);
  if (budget === null || run === undefined) return null;
  tx.sql(`INSERT INTO budget_allowances (org_id, budget_id, run_id, granted) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET granted = ${atMost("max(granted, used) + excluded.granted")}`).run(
    orgId,
    id,
    runId,
    amount,
  );
  return { budget, woken: wakeWaiting(tx, { orgId, budgetId: id, cause: "allowed", runId }) };
}

function found(tx: Transaction, orgId: string, id: string): BudgetRecord {
  const budget = findBudgetRecord(tx.sql, { orgId, id, at: tx.now });
  if (budget === null) throw new BerthError("internal", "a budget that was just written is not there");
  return budget;
}
