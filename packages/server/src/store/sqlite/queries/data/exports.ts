import type { ExportRecord } from "../../../data.ts";
import type { Connection } from "../../connection.ts";

type Sql = Connection["sql"];
type ExportRow = Omit<ExportRecord, "parts" | "conversations"> & {
  readonly parts: string;
  readonly conversations: number;
};

const select = `SELECT org_id AS orgId, id, scope, user_id AS userId, conversations, requested_by AS requestedBy, status,
  attempts, parts, bytes, sha256, error, created_at AS createdAt, finished_at AS finishedAt, expires_at AS expiresAt
  FROM exports`;

function exportRecord(row: ExportRow): ExportRecord {
  return {
    ...row,
    parts: JSON.parse(row.parts) as Record<string, number>,
    conversations: row.conversations === 1,
  };
}

export function findExportRecord(sql: Sql, orgId: string, id: string): ExportRecord | null {
  const row = sql<ExportRow>(`${select} WHERE org_id = ? AND id = ?`).get(orgId, id);
  return row === undefined ? null : exportRecord(row);
}

export function listExportRecords(
  sql: Sql,
  filter: { orgId: string; limit: number; after?: string; requestedBy?: string },
): ExportRecord[] {
  const { orgId, limit, after = "z", requestedBy = null } = filter;
  return sql<ExportRow>(
    `${select} WHERE org_id = ?1 AND id < ?2 AND (?3 IS NULL OR requested_by = ?3) ORDER BY id DESC LIMIT ?4`,
  )
    .all(orgId, after, requestedBy, limit + 1)
    .map(exportRecord);
}

/** The oldest that is not at its end. */
export function findOpenExport(sql: Sql): ExportRecord | null {
  const row = sql<ExportRow>(
    `${select} WHERE status IN ('queued', 'running') ORDER BY created_at LIMIT 1`,
  ).get();
  return row === undefined ? null : exportRecord(row);
}
