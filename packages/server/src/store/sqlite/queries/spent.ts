import type { BudgetScope, BudgetUnit } from "@berth/contract";
import type { SQLInputValue } from "node:sqlite";
import type { Connection } from "../connection.ts";
import { sumOf } from "./sums.ts";

type Sql = Connection["sql"];

interface Spent {
  readonly orgId: string;
  readonly scope: BudgetScope;
  readonly target: string;
  readonly unit: BudgetUnit;
  /** Calls since then. */
  readonly startsAt: number;
}

const amounts: Readonly<Record<BudgetUnit, string>> = {
  usd: sumOf("cost"),
  tokens: sumOf("input_tokens + output_tokens"),
};

/** Rows of one scope, in a table of the ledger's columns. */
function condition({ scope, target }: Spent): { where: string; values: readonly SQLInputValue[] } {
  switch (scope) {
    case "org":
      return { where: "TRUE", values: [] };
    case "user":
      return { where: "owner = ?", values: [target] };
    case "agent":
      return { where: "instr(' ' || agents || ' ', ?) > 0", values: [` ${target} `] };
    case "session":
      return {
        where: "session_no = (SELECT no FROM sessions WHERE org_id = l.org_id AND id = ?)",
        values: [target],
      };
    case "run":
      return {
        where: `session_no = (SELECT s.no FROM runs r JOIN sessions s ON s.org_id = r.org_id AND s.id = r.session_id
          WHERE r.org_id = l.org_id AND r.id = ?) AND run_id = ?`,
        values: [target, target],
      };
  }
}

/** What the ledger holds of a scope since a time. Whole days of an organization, a user or an agent are read from the days' sums. */
export function spentOf(sql: Sql, about: Spent): number {
  const { orgId, scope, unit, startsAt } = about;
  const { where, values } = condition(about);
  const byDay = scope === "org" || scope === "user" || scope === "agent";
  const [table, time] = byDay ? ["usage_days", "day"] : ["usage_ledger", "at"];
  const row = sql<{ spent: number }>(
    `SELECT ${amounts[unit]} AS spent FROM ${table} l WHERE l.org_id = ? AND ${time} >= ? AND ${where}`,
  ).get(orgId, startsAt, ...values);
  return row?.spent ?? 0;
}

/** What the calls under way of a scope have reserved. */
export function openReserves(sql: Sql, about: Spent): number {
  const { orgId, unit, startsAt } = about;
  const { where, values } = condition(about);
  const row = sql<{ reserved: number }>(
    `SELECT ${amounts[unit]} AS reserved FROM budget_reserves l WHERE l.org_id = ? AND at >= ? AND ${where}`,
  ).get(orgId, startsAt, ...values);
  return row?.reserved ?? 0;
}
