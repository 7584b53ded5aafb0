import type { ErrorInfo, Recovery, RunStatus, Usage } from "@berth/contract";
import type { RunRecord } from "../../records.ts";
import type { Connection } from "../connection.ts";
import { Conditions, newestVisible } from "./visible.ts";

interface RunRow extends Omit<RunRecord, "error" | "recovery" | "usage"> {
  readonly error: string | null;
  readonly recovery: string | null;
  readonly usage: string | null;
}

const select = `SELECT org_id AS orgId, id, session_id AS sessionId, status, reason, error, recovery, usage, cost, steps,
  created_at AS createdAt, started_at AS startedAt, finished_at AS finishedAt
  FROM runs`;

const noUsage: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};

function runRecord(row: RunRow): RunRecord {
  return {
    ...row,
    error: row.error === null ? null : (JSON.parse(row.error) as ErrorInfo),
    recovery: row.recovery === null ? [] : (JSON.parse(row.recovery) as Recovery[]),
    usage: row.usage === null ? noUsage : (JSON.parse(row.usage) as Usage),
  };
}

export function findRunRecord(sql: Connection["sql"], orgId: string, id: string): RunRecord | null {
  const row = sql<RunRow>(`${select} WHERE org_id = ? AND id = ?`).get(orgId, id);
  return row === undefined ? null : runRecord(row);
}

const open: ReadonlySet<RunStatus> = new Set(["queued", "running", "waiting"]);

interface RunFilter {
  readonly limit: number;
  readonly after?: string;
  readonly sessionId?: string;
  readonly status?: RunStatus;
}

/** Newest first; one more than the limit when there is one. */
export function listRunRecords(
  sql: Connection["sql"],
  orgId: string,
  filter: RunFilter & { readonly visibleTo?: string },
): RunRecord[] {
  return visibleRows(sql, orgId, filter).map(runRecord);
}

function visibleRows(
  sql: Connection["sql"],
  orgId: string,
  { visibleTo, ...filter }: RunFilter & { readonly visibleTo?: string },
): RunRow[] {
  if (visibleTo === undefined) return list(sql, orgId, { filter, index: indexFor(filter) });
  const index = indexFor(filter);
  // With a plus a column's index is not taken: what is of one session, or goes on, is few already.
  if (index !== "")
    return list(sql, orgId, { filter, index, whose: "(+owner = ? OR +shared = 1)", who: visibleTo });
  const own = { filter, index: "INDEXED BY runs_by_owner", whose: "owner = ?", who: visibleTo };
  const shared = { ...own, index: "INDEXED BY runs_shared", whose: "shared = 1 AND +owner <> ?" };
  return newestVisible({ own: list(sql, orgId, own), shared: list(sql, orgId, shared) }, filter.limit + 1);
}

interface Listing {
  readonly filter: RunFilter;
  /** Without statistics SQLite takes the primary key, and goes through all runs of the org. */
  readonly index: string;
  /** Condition that takes `who`. */
  readonly whose?: string;
  readonly who?: string;
}

function list(sql: Connection["sql"], orgId: string, { filter, index, whose, who = "" }: Listing): RunRow[] {
  const { after, sessionId, status, limit } = filter;
  const where = new Conditions().and("org_id = ?", orgId);
  if (whose !== undefined) where.and(whose, who);
  if (after !== undefined) where.and("id < ?", after);
  if (sessionId !== undefined) where.and("session_id = ?", sessionId);
  if (status !== undefined) {
    const rare = open.has(status) && index.includes("runs_open");
    where.and(rare ? "status = ? AND status IN ('queued', 'running', 'waiting')" : "status = ?", status);
  }
  return sql<RunRow>(`${select} ${index} WHERE ${where.text} ORDER BY id DESC LIMIT ?`).all(
    ...where.values,
    limit + 1,
  );
}

function indexFor({ sessionId, status }: RunFilter): string {
  if (sessionId !== undefined) return "INDEXED BY runs_by_session";
  return status !== undefined && open.has(status) ? "INDEXED BY runs_open" : "";
}
