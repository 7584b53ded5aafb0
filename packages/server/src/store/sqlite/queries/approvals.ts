import type { SQLInputValue } from "node:sqlite";
import type { ApprovalRecord } from "../../records.ts";
import type { Connection } from "../connection.ts";

interface ApprovalRow extends Omit<ApprovalRecord, "path" | "input"> {
  readonly path: string;
  readonly input: string;
}

const select = `SELECT org_id AS orgId, id, session_id AS sessionId, run_id AS runId, tool_use_id AS toolUseId, tool, input,
  input_hash AS inputHash, path, status, decided_by AS decidedBy, note, created_at AS createdAt, expires_at AS expiresAt,
  decided_at AS decidedAt FROM approvals`;

function approvalRecord(row: ApprovalRow): ApprovalRecord {
  return { ...row, path: JSON.parse(row.path) as string[], input: JSON.parse(row.input) as unknown };
}

export function findApprovalRecord(sql: Connection["sql"], orgId: string, id: string): ApprovalRecord | null {
  const row = sql<ApprovalRow>(`${select} WHERE org_id = ? AND id = ?`).get(orgId, id);
  return row === undefined ? null : approvalRecord(row);
}

/** Newest first; one more than the limit when there is one. */
export function listApprovalRecords(
  sql: Connection["sql"],
  orgId: string,
  filter: { limit: number; after?: string; sessionId?: string; status?: ApprovalRecord["status"] },
): ApprovalRecord[] {
  const where = ["org_id = ?"];
  const values: SQLInputValue[] = [orgId];
  const and = (condition: string, ...bound: SQLInputValue[]) => {
    where.push(condition);
    values.push(...bound);
  };
  if (filter.after !== undefined) and("id < ?", filter.after);
  if (filter.sessionId !== undefined) and("session_id = ?", filter.sessionId);
  // Written out, not bound: only then does SQLite see that the partial index on it fits.
  if (filter.status === "pending") and("status = 'pending'");
  else if (filter.status !== undefined) and("status = ?", filter.status);
  return sql<ApprovalRow>(`${select} WHERE ${where.join(" AND ")} ORDER BY id DESC LIMIT ?`)
    .all(...values, filter.limit + 1)
    .map(approvalRecord);
}
