import type { ApprovalRecord } from "../../records.ts";
import type { Connection } from "../connection.ts";
import { Conditions, newestVisible } from "./visible.ts";

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

interface ApprovalFilter {
  readonly limit: number;
  readonly after?: string;
  readonly sessionId?: string;
  readonly status?: ApprovalRecord["status"];
}

/** Newest first; one more than the limit when there is one. */
export function listApprovalRecords(
  sql: Connection["sql"],
  orgId: string,
  { visibleTo, ...filter }: ApprovalFilter & { readonly visibleTo?: string },
): ApprovalRecord[] {
  if (visibleTo === undefined) return list(sql, orgId, filter);
  // With a plus a column's index is not taken: what is of one session, or pending, is few already.
  if (filter.sessionId !== undefined || filter.status === "pending") {
    return list(sql, orgId, filter, { condition: "(+owner = ? OR +shared = 1)", who: visibleTo });
  }
  const own = list(sql, orgId, filter, { condition: "owner = ?", who: visibleTo });
  const shared = list(sql, orgId, filter, { condition: "shared = 1 AND +owner <> ?", who: visibleTo });
  return newestVisible({ own, shared }, filter.limit + 1);
}

function list(
  sql: Connection["sql"],
  orgId: string,
  filter: ApprovalFilter,
  whose?: { readonly condition: string; readonly who: string },
): ApprovalRecord[] {
  const where = new Conditions().and("org_id = ?", orgId);
  if (whose !== undefined) where.and(whose.condition, whose.who);
  if (filter.after !== undefined) where.and("id < ?", filter.after);
  if (filter.sessionId !== undefined) where.and("session_id = ?", filter.sessionId);
  // Written out, not bound: only then does SQLite see that the partial index on it fits.
  if (filter.status === "pending") where.and("status = 'pending'");
  else if (filter.status !== undefined) where.and("status = ?", filter.status);
  return sql<ApprovalRow>(`${select} WHERE ${where.text} ORDER BY id DESC LIMIT ?`)
    .all(...where.values, filter.limit + 1)
    .map(approvalRecord);
}
