import type { ErasureRecord } from "../../../data.ts";
import type { Connection } from "../../connection.ts";

type Sql = Connection["sql"];

export function sessionsToErase(sql: Sql, erasure: ErasureRecord, limit: number): string[] {
  const { orgId, scope, target } = erasure;
  const owner = scope === "user" ? target : null;
  return sql<{ id: string }>(
    "SELECT id FROM sessions WHERE org_id = ?1 AND (?2 IS NULL OR owner = ?2) ORDER BY id LIMIT ?3",
  )
    .all(orgId, owner, limit)
    .map(({ id }) => id);
}

export function exportsHolding(sql: Sql, { orgId, scope, target }: ErasureRecord, limit: number): string[] {
  // A copy of the whole organization holds the user too.
  return sql<{ id: string }>(
    `SELECT id FROM exports WHERE org_id = ?1 AND status <> 'expired'
      AND (?2 IS NULL OR scope = 'org' OR user_id = ?2 OR requested_by = ?2) LIMIT ?3`,
  )
    .all(orgId, scope === "user" ? target : null, limit)
    .map(({ id }) => id);
}

export function listReferencedBlobs(
  sql: Sql,
  range: { orgId: string; owner: string | null; after: string | null; limit: number },
): { hash: string; size: number }[] {
  const { orgId, owner, after, limit } = range;
  const ofOwner = `AND EXISTS (SELECT 1 FROM blob_refs r WHERE r.org_id = b.org_id AND r.hash = b.hash AND (
      EXISTS (SELECT 1 FROM sessions s WHERE s.no = r.log_no AND s.owner = ?4)
      OR EXISTS (SELECT 1 FROM segments g JOIN sessions s ON s.no = g.session_no
        WHERE g.log_no = r.log_no AND g.up_to_seq >= r.seq AND s.owner = ?4)))`;
  return sql<{ hash: string; size: number }>(
    `SELECT hash, size FROM blobs b WHERE org_id = ?1 AND hash > ?2 AND referenced = 1 ${owner === null ? "" : ofOwner}
      ORDER BY hash LIMIT ?3`,
  )
    .all(orgId, after ?? "", limit, ...(owner === null ? [] : [owner]))
    .map(({ hash, size }) => ({ hash, size }));
}

export function listStaleSessions(
  sql: Sql,
  scan: { orgId: string; before: number; newest: string; after: string | null; scan: number },
): { ids: string[]; next: string | null } {
  const rows = sql<{ id: string; stale: number }>(
    `SELECT id, updated_at < ?2 AND status IN ('idle', 'archived', 'quarantined') AS stale FROM sessions
      WHERE org_id = ?1 AND id > ?3 AND id < ?4 ORDER BY id LIMIT ?5`,
  ).all(scan.orgId, scan.before, scan.after ?? "", scan.newest, scan.scan);
  return {
    ids: rows.filter(({ stale }) => stale === 1).map(({ id }) => id),
    next: rows.length < scan.scan ? null : (rows.at(-1)?.id ?? null),
  };
}

export function listRetentions(sql: Sql): { orgId: string; settings: Record<string, unknown> }[] {
  return sql<{ orgId: string; settings: string }>(
    `SELECT id AS orgId, settings FROM orgs
      WHERE status <> 'erasing' AND json_type(settings, '$.retention') = 'object' ORDER BY id`,
  )
    .all()
    .map(({ orgId, settings }) => ({ orgId, settings: JSON.parse(settings) as Record<string, unknown> }));
}
