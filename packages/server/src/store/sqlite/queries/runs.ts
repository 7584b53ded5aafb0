import type { ErrorInfo, Recovery, RunStatus, Usage } from "@berth/contract";
import type { SQLInputValue } from "node:sqlite";
import type { RunRecord } from "../../records.ts";
import type { Connection } from "../connection.ts";

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

/** Newest first; one more than the limit when there is one. */
export function listRunRecords(
  sql: Connection["sql"],
  orgId: string,
  filter: { limit: number; after?: string; sessionId?: string; status?: RunStatus },
): RunRecord[] {
  const where = ["org_id = ?"];
  const values: SQLInputValue[] = [orgId];
  const and = (condition: string, value: SQLInputValue) => {
    where.push(condition);
    values.push(value);
  };
  if (filter.after !== undefined) and("id < ?", filter.after);
  if (filter.sessionId !== undefined) and("session_id = ?", filter.sessionId);
  if (filter.status !== undefined) {
    and(
      open.has(filter.status) ? "status = ? AND status IN ('queued', 'running', 'waiting')" : "status = ?",
      filter.status,
    );
  }
  return sql<RunRow>(`${select} ${indexFor(filter)} WHERE ${where.join(" AND ")} ORDER BY id DESC LIMIT ?`)
    .all(...values, filter.limit + 1)
    .map(runRecord);
}

/** Without statistics SQLite takes the primary key, and goes through all runs of the org. */
function indexFor({ sessionId, status }: { sessionId?: string; status?: RunStatus }): string {
  if (sessionId !== undefined) return "INDEXED BY runs_by_session";
  return status !== undefined && open.has(status) ? "INDEXED BY runs_open" : "";
}
