import type { SessionStatus } from "@berth/contract";
import type { SQLInputValue } from "node:sqlite";
import type { SessionRecord } from "../../records.ts";
import type { SessionFilter } from "../../store.ts";
import type { Connection } from "../connection.ts";
import { type SessionRow, sessionColumns, sessionRecord } from "./session-row.ts";

const noSessions: Readonly<Record<SessionStatus, number>> = {
  idle: 0,
  running: 0,
  waiting: 0,
  archived: 0,
  quarantined: 0,
};

/** One more than the limit, when there is one, so that the caller knows whether another page follows. */
export function listSessionRecords(
  sql: Connection["sql"],
  orgId: string,
  filter: SessionFilter,
): SessionRecord[] {
  const where = ["org_id = ?"];
  const values: SQLInputValue[] = [orgId];
  const and = (condition: string, ...bound: SQLInputValue[]) => {
    where.push(condition);
    values.push(...bound);
  };
  if (filter.after !== undefined) and("id < ?", filter.after);
  if (filter.owner !== undefined) and("owner = ?", filter.owner);
  if (filter.key !== undefined) and("key = ?", filter.key);
  if (filter.agentId !== undefined) and("agent_id = ?", filter.agentId);
  if (filter.status !== undefined) and(statusCondition(filter.status), filter.status);
  const archived = filter.archived ?? (filter.status === undefined ? false : impliedArchive(filter.status));
  if (archived !== undefined) and(`${isNarrow(filter) ? "+" : ""}archived = ?`, archived ? 1 : 0);
  if (filter.search !== undefined) and("instr(search, ?) > 0", filter.search.toLowerCase());
  for (const [key, value] of Object.entries(filter.metadata ?? {})) {
    and("EXISTS (SELECT 1 FROM json_each(metadata) m WHERE m.key = ? AND m.value = ?)", key, value);
  }
  // A key names few sessions: with the plus SQLite finds those and sorts them, instead of going through all in order.
  const order = filter.key === undefined ? "id" : "+id";
  const text = `SELECT ${sessionColumns} FROM sessions WHERE ${where.join(" AND ")} ORDER BY ${order} DESC LIMIT ?`;
  return sql<SessionRow>(text)
    .all(...values, filter.limit + 1)
    .map(sessionRecord);
}

/** The frequent statuses are found by the index on archived. */
function impliedArchive(status: SessionStatus): boolean | undefined {
  if (status === "archived") return true;
  return status === "idle" ? false : undefined;
}

/** With these filters another index is better than the one on archived; a plus keeps SQLite from taking that one. */
function isNarrow(filter: SessionFilter): boolean {
  return filter.owner !== undefined || filter.key !== undefined || filter.agentId !== undefined;
}

/** The rare statuses have a partial index, which SQLite uses when it sees its condition. */
function statusCondition(status: SessionStatus): string {
  const rare = status === "running" || status === "waiting" || status === "quarantined";
  return rare ? "status = ? AND status IN ('running', 'waiting', 'quarantined')" : "status = ?";
}

export function countSessionsByStatus(
  sql: Connection["sql"],
  orgId: string,
): Readonly<Record<SessionStatus, number>> {
  const rows = sql<{ status: SessionStatus; count: number }>(
    "SELECT status, count FROM session_counts WHERE org_id = ?",
  ).all(orgId);
  return { ...noSessions, ...Object.fromEntries(rows.map(({ status, count }) => [status, count])) };
}
