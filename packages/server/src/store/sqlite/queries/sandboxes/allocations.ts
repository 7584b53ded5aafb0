import type { AllocationRecord, WorkspaceRecord } from "../../../sandboxes.ts";
import type { HostedWorkspace, LeftoverWorkspace } from "../../../workspace-moves.ts";
import type { Connection } from "../../connection.ts";
import { Conditions } from "../visible.ts";
import { liveStates } from "./sandboxes.ts";

type Sql = Connection["sql"];
type AllocationRow = Omit<AllocationRecord, "isActive"> & { readonly isActive: number };

const select = `SELECT org_id AS orgId, id, sandbox_id AS sandboxId, sandbox_url AS sandboxUrl, user_id AS userId,
  session_id AS sessionId, strategy, created_at AS createdAt, last_used_at AS lastUsedAt, is_active AS isActive,
  ended_at AS endedAt, end_reason AS endReason FROM sandbox_allocations`;

const record = (row: AllocationRow): AllocationRecord => ({ ...row, isActive: row.isActive === 1 });

export function findAllocation(sql: Sql, orgId: string, id: string): AllocationRecord | null {
  const row = sql<AllocationRow>(`${select} WHERE org_id = ? AND id = ?`).get(orgId, id);
  return row === undefined ? null : record(row);
}

export function findLastAllocation(sql: Sql, orgId: string, sessionId: string): AllocationRecord | null {
  const row = sql<AllocationRow>(
    `${select} WHERE org_id = ? AND session_id = ? ORDER BY id DESC LIMIT 1`,
  ).get(orgId, sessionId);
  return row === undefined ? null : record(row);
}

interface AllocationFilter {
  readonly limit: number;
  readonly after?: string;
  readonly userId?: string;
  readonly sessionId?: string;
  readonly sandboxId?: string;
  readonly active?: boolean;
}

/** Newest first; one more than the limit when there is one. */
export function listAllocations(
  sql: Sql,
  orgId: string,
  { limit, after, userId, sessionId, sandboxId, active }: AllocationFilter,
): AllocationRecord[] {
  const where = new Conditions().and("org_id = ?", orgId);
  if (after !== undefined) where.and("id < ?", after);
  if (userId !== undefined) where.and("user_id = ?", userId);
  if (sessionId !== undefined) where.and("session_id = ?", sessionId);
  if (sandboxId !== undefined) where.and("sandbox_id = ?", sandboxId);
  if (active !== undefined) where.and("is_active = ?", active ? 1 : 0);
  return sql<AllocationRow>(`${select} WHERE ${where.text} ORDER BY id DESC LIMIT ?`)
    .all(...where.values, limit + 1)
    .map(record);
}

const workspaceColumns = `SELECT org_id AS orgId, session_id AS sessionId, workspace_id AS workspaceId, folder, host, strategy,
  user_id AS userId, size_bytes AS sizeBytes, created_at AS createdAt, last_used_at AS lastUsedAt, awaits_files AS awaitsFiles,
  EXISTS (SELECT 1 FROM workspace_leftovers l WHERE l.copy_of = w.workspace_id) AS isCopied FROM workspaces w`;

type WorkspaceRow = Omit<WorkspaceRecord, "awaitsFiles" | "isCopied"> & {
  readonly awaitsFiles: number;
  readonly isCopied: number;
};

const workspaceOf = (row: WorkspaceRow): WorkspaceRecord => ({
  ...row,
  awaitsFiles: row.awaitsFiles === 1,
  isCopied: row.isCopied === 1,
});

export function findWorkspace(sql: Sql, orgId: string, sessionId: string): WorkspaceRecord | null {
  const row = sql<WorkspaceRow>(`${workspaceColumns} WHERE w.org_id = ? AND w.session_id = ?`).get(
    orgId,
    sessionId,
  );
  return row === undefined ? null : workspaceOf(row);
}

/** The one that used it last first. */
export function listSessionsIn(
  sql: Sql,
  orgId: string,
  sandboxId: string,
): { sessionId: string; folder: string | null }[] {
  return sql<{ sessionId: string; folder: string | null }>(
    `SELECT a.session_id AS sessionId, w.folder FROM sandbox_allocations a
      LEFT JOIN workspaces w ON w.org_id = a.org_id AND w.session_id = a.session_id
      WHERE a.sandbox_id = ? AND a.is_active = 1 AND a.org_id = ? ORDER BY a.last_used_at DESC, a.id DESC`,
  ).all(sandboxId, orgId);
}

/** The workspace that the sessions of a user share: any row that names it. */
export function findSharedWorkspace(sql: Sql, orgId: string, userId: string): WorkspaceRecord | null {
  const row = sql<WorkspaceRow>(
    `${workspaceColumns} WHERE w.org_id = ? AND w.user_id = ? AND w.strategy = 'User-Exclusive' LIMIT 1`,
  ).get(orgId, userId);
  return row === undefined ? null : workspaceOf(row);
}

export function countSharers(sql: Sql, workspaceId: string): number {
  const row = sql<{ count: number }>("SELECT count(*) AS count FROM workspaces WHERE workspace_id = ?").get(
    workspaceId,
  );
  return row?.count ?? 0;
}

/** Of sessions that were deleted. */
export function findOrphanedWorkspaces(sql: Sql, limit: number): WorkspaceRecord[] {
  return sql<WorkspaceRow>(`${workspaceColumns} WHERE NOT EXISTS
    (SELECT 1 FROM sessions s WHERE s.org_id = w.org_id AND s.id = w.session_id) LIMIT ?`)
    .all(limit)
    .map(workspaceOf);
}

export function listLeftovers(sql: Sql, host: string, deployment: string): LeftoverWorkspace[] {
  return sql<LeftoverWorkspace>(
    `SELECT workspace_id AS workspaceId, host, copy_of AS copyOf FROM workspace_leftovers WHERE host = ? AND deployment = ?
      ORDER BY created_at LIMIT 1000`,
  ).all(host, deployment);
}

export function listWorkspacesOn(
  sql: Sql,
  { host, after = "", limit }: { readonly host: string; readonly after?: string; readonly limit: number },
): HostedWorkspace[] {
  return sql<Omit<HostedWorkspace, "inUse"> & { readonly inUse: number }>(
    `SELECT w.workspace_id AS workspaceId, w.host, w.org_id AS orgId, min(w.session_id) AS sessionId,
      EXISTS (SELECT 1 FROM sandboxes b WHERE b.workspace_id = w.workspace_id AND b.state IN ${liveStates}) AS inUse
      FROM workspaces w JOIN sessions s ON s.org_id = w.org_id AND s.id = w.session_id
      WHERE w.host = ? AND w.awaits_files = 0 AND w.workspace_id > ?
      GROUP BY w.workspace_id ORDER BY w.workspace_id LIMIT ?`,
  )
    .all(host, after, limit)
    .map((row) => ({ ...row, inUse: row.inUse === 1 }));
}
