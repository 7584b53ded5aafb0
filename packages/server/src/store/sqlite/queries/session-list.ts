import type { SessionStatus } from "@berth/contract";
import type { SessionRecord } from "../../records.ts";
import type { SessionFilter } from "../../store.ts";
import type { Connection } from "../connection.ts";
import { type SessionRow, sessionColumns, sessionRecord } from "./session-row.ts";
import { Conditions, newestVisible } from "./visible.ts";

const noSessions: Readonly<Record<SessionStatus, number>> = {
  idle: 0,
  running: 0,
  waiting: 0,
  archived: 0,
  quarantined: 0,
};

/** Newest first; one more than the limit, when there is one, so that the caller knows whether another page follows. */
export function listSessionRecords(
  sql: Connection["sql"],
  orgId: string,
  filter: SessionFilter,
): SessionRecord[] {
  return visibleRows(sql, orgId, filter).map(sessionRecord);
}

function visibleRows(
  sql: Connection["sql"],
  orgId: string,
  { visibleTo, ...filter }: SessionFilter,
): SessionRow[] {
  const { owner } = filter;
  if (visibleTo === undefined || owner === visibleTo) return select(sql, orgId, filter);
  if (owner !== undefined) return select(sql, orgId, filter, { others: visibleTo });
  if (filter.key !== undefined || isRare(filter.status)) {
    return select(sql, orgId, filter, { ownAndOthers: visibleTo });
  }
  const own = select(sql, orgId, { ...filter, owner: visibleTo });
  return newestVisible({ own, shared: select(sql, orgId, filter, { others: visibleTo }) }, filter.limit + 1);
}

/** Whose sessions: those that others share with this principal, or its own too. */
type Whose = { readonly others: string } | { readonly ownAndOthers: string };

function select(
  sql: Connection["sql"],
  orgId: string,
  filter: Omit<SessionFilter, "visibleTo">,
  whose?: Whose,
): SessionRow[] {
  const where = new Conditions().and("org_id = ?", orgId);
  const { status, agentId } = filter;
  if (filter.after !== undefined) where.and("id < ?", filter.after);
  if (filter.owner !== undefined) where.and("owner = ?", filter.owner);
  if (whose !== undefined && "others" in whose) where.and("visibility = 'org' AND +owner <> ?", whose.others);
  // With a plus a column's index is not taken: these rows are few already.
  if (whose !== undefined && "ownAndOthers" in whose)
    where.and("(+owner = ? OR +visibility = 'org')", whose.ownAndOthers);
  if (filter.key !== undefined) where.and("key = ?", filter.key);
  const byOwner = filter.owner !== undefined || whose !== undefined;
  if (agentId !== undefined) where.and(`${byOwner ? "+" : ""}agent_id = ?`, agentId);
  if (status !== undefined)
    where.and(isRare(status) ? `status = ? AND status IN (${rareStatuses})` : "status = ?", status);
  const archived = filter.archived ?? (status === undefined ? false : impliedArchive(status));
  const narrow = filter.key !== undefined || (agentId !== undefined && !byOwner);
  if (archived !== undefined) where.and(`${narrow ? "+" : ""}archived = ?`, archived ? 1 : 0);
  if (filter.search !== undefined) where.and("instr(search, ?) > 0", filter.search.toLowerCase());
  for (const [key, value] of Object.entries(filter.metadata ?? {})) {
    where.and("EXISTS (SELECT 1 FROM json_each(metadata) m WHERE m.key = ? AND m.value = ?)", key, value);
  }
  // A key names few sessions: with the plus SQLite finds those and sorts them, instead of going through all in order.
  const order = filter.key === undefined ? "id" : "+id";
  // Without statistics SQLite may go through all of the org's sessions for the few that are shared.
  const index =
    whose !== undefined && "others" in whose && filter.owner === undefined ? "sessions_shared" : "";
  const from = index === "" ? "sessions" : `sessions INDEXED BY ${index}`;
  const text = `SELECT ${sessionColumns} FROM ${from} WHERE ${where.text} ORDER BY ${order} DESC LIMIT ?`;
  return sql<SessionRow>(text).all(...where.values, filter.limit + 1);
}

/** The frequent statuses are found by the index on archived. */
function impliedArchive(status: SessionStatus): boolean | undefined {
  if (status === "archived") return true;
  return status === "idle" ? false : undefined;
}

/** The rare statuses have a partial index, which SQLite uses when it sees its condition. */
const rareStatuses = "'running', 'waiting', 'quarantined'";

function isRare(status: SessionStatus | undefined): boolean {
  return status === "running" || status === "waiting" || status === "quarantined";
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
