import type { ErasureRecord } from "../../../data.ts";
import type { Connection } from "../../connection.ts";

type Sql = Connection["sql"];
type ErasureRow = Omit<ErasureRecord, "counts"> & { readonly counts: string };

const select = `SELECT org_id AS orgId, id, scope, target, requested_by AS requestedBy, told_to AS toldTo, status, counts,
  error, created_at AS createdAt, finished_at AS finishedAt, hash FROM erasures`;

function erasureRecord(row: ErasureRow): ErasureRecord {
  return { ...row, counts: JSON.parse(row.counts) as Record<string, number> };
}

/** In one organization, or in any. */
export function findErasureRecord(sql: Sql, id: string, orgId: string | null): ErasureRecord | null {
  const row = sql<ErasureRow>(`${select} WHERE id = ?1 AND (?2 IS NULL OR org_id = ?2)`).get(id, orgId);
  return row === undefined ? null : erasureRecord(row);
}

export function listErasureRecords(
  sql: Sql,
  filter: { orgId: string | null; limit: number; after?: string },
): ErasureRecord[] {
  const { orgId, limit, after = "z" } = filter;
  return sql<ErasureRow>(`${select} WHERE (?1 IS NULL OR org_id = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3`)
    .all(orgId, after, limit + 1)
    .map(erasureRecord);
}

export function listOpenErasures(sql: Sql, limit: number): ErasureRecord[] {
  return sql<ErasureRow>(`${select} WHERE status = 'running' ORDER BY created_at LIMIT ?`)
    .all(limit)
    .map(erasureRecord);
}
