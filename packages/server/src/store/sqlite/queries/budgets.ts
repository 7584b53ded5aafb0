import type { BudgetScope, BudgetUnit } from "@berth/contract";
import type { SQLInputValue } from "node:sqlite";
import { type BudgetRecord, type BudgetState, periodEnd, periodStart } from "../../budgets.ts";
import type { Connection } from "../connection.ts";

type Sql = Connection["sql"];

const columns = `b.org_id AS orgId, b.id, b.scope, b.target, b.unit, b.period, b.amount, b.on_limit AS onLimit, b.warn_at AS warnAt,
  b.created_by AS createdBy, b.created_at AS createdAt, b.updated_at AS updatedAt,
  coalesce(p.spent, 0) AS spent, coalesce(p.reserved, 0) AS reserved`;

const joined = `budgets b LEFT JOIN budget_periods p ON p.org_id = b.org_id AND p.budget_id = b.id
  AND p.starts_at = CASE b.period WHEN 'day' THEN ? WHEN 'month' THEN ? ELSE 0 END`;

const starts = (at: number) => [periodStart("day", at), periodStart("month", at)] as const;

const waiting = `(SELECT count(*) FROM budget_waits w WHERE w.org_id = b.org_id AND w.budget_id = b.id) AS waiting`;

type Row = Omit<BudgetRecord, "endsAt">;

function record(row: Row, at: number): BudgetRecord {
  return { ...row, endsAt: periodEnd(row.period, at) };
}

export function findBudgetRecord(
  sql: Sql,
  { orgId, id, at }: { orgId: string; id: string; at: number },
): BudgetRecord | null {
  const row = sql<Row>(`SELECT ${columns}, ${waiting} FROM ${joined} WHERE b.org_id = ? AND b.id = ?`).get(
    ...starts(at),
    orgId,
    id,
  );
  return row === undefined ? null : record(row, at);
}

/** Newest first; one more than the limit when there is one. */
export function listBudgetRecords(
  sql: Sql,
  filter: {
    readonly orgId: string;
    readonly at: number;
    readonly limit: number;
    readonly after?: string;
    readonly scope?: BudgetScope;
    readonly target?: string;
  },
): BudgetRecord[] {
  const { orgId, at, limit, after, scope, target } = filter;
  const where = ["b.org_id = ?"];
  const values: SQLInputValue[] = [orgId];
  const and = (condition: string, value: SQLInputValue | undefined) => {
    if (value === undefined) return;
    where.push(condition);
    values.push(value);
  };
  and("b.id < ?", after);
  and("b.scope = ?", scope);
  and("b.target = ?", target);
  return sql<Row>(
    `SELECT ${columns}, ${waiting} FROM ${joined} WHERE ${where.join(" AND ")} ORDER BY b.id DESC LIMIT ?`,
  )
    .all(...starts(at), ...values, limit + 1)
    .map((row) => record(row, at));
}

export interface Payer {
  readonly orgId: string;
  readonly sessionId: string;
  readonly owner: string;
  readonly agents: readonly string[];
  readonly runId: string;
}

/** A budget that a call counts to, in the period of the call. */
export type Counted = BudgetState & Pick<BudgetRecord, "warnAt">;

/** Every budget that a call counts to. */
export function budgetsInScope(sql: Sql, payer: Payer, at: number): readonly Counted[] {
  const { orgId, sessionId, owner, agents, runId } = payer;
  const each = agents.map(() => ", ('agent', ?)").join("");
  return sql<Row>(
    `SELECT ${columns}, 0 AS waiting FROM ${joined} WHERE b.org_id = ?
      AND (b.scope, b.target) IN (VALUES ('org', ''), ('user', ?), ('session', ?), ('run', ?)${each})`,
  )
    .all(...starts(at), orgId, owner, sessionId, runId, ...agents)
    .map((row) => record(row, at));
}

/** Budgets by id, in the period of a time. */
export function budgetsById(sql: Sql, orgId: string, { ids, at }: { ids: readonly string[]; at: number }) {
  return ids.flatMap((id) => findBudgetRecord(sql, { orgId, id, at }) ?? []);
}

/** Units of the budgets of these scopes that hold calls back. */
export function limitedUnitsOf(
  sql: Sql,
  orgId: string,
  targets: readonly { readonly scope: BudgetScope; readonly target: string }[],
): ReadonlySet<BudgetUnit> {
  const find = sql<{ unit: BudgetUnit }>(
    "SELECT DISTINCT unit FROM budgets WHERE org_id = ? AND scope = ? AND target = ? AND on_limit <> 'warn'",
  );
  return new Set(
    targets.flatMap(({ scope, target }) => find.all(orgId, scope, target).map(({ unit }) => unit)),
  );
}
