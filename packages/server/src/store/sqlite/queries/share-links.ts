import type { ShareLinkRecord } from "../../access.ts";
import type { Connection } from "../connection.ts";

const select = `SELECT l.org_id AS orgId, l.id, l.session_id AS sessionId, l.created_by AS createdBy, l.created_at AS createdAt,
  l.expires_at AS expiresAt, l.revoked_at AS revokedAt, l.last_used_at AS lastUsedAt, l.uses FROM share_links l`;

export function findShareLinkRecord(
  sql: Connection["sql"],
  orgId: string,
  id: string,
): ShareLinkRecord | null {
  return sql<ShareLinkRecord>(`${select} WHERE l.org_id = ? AND l.id = ?`).get(orgId, id) ?? null;
}

/** One that still opens something. */
export function findOpenShareLink(
  sql: Connection["sql"],
  { tokenHash, now }: { tokenHash: string; now: number },
): ShareLinkRecord | null {
  const text = `${select} JOIN orgs o ON o.id = l.org_id
    WHERE l.token_hash = ? AND l.revoked_at IS NULL AND l.expires_at > ? AND o.status = 'active'`;
  return sql<ShareLinkRecord>(text).get(tokenHash, now) ?? null;
}

/** Newest first; one more than the limit when there is one. */
export function listShareLinkRecords(
  sql: Connection["sql"],
  { orgId, sessionId, limit, after }: { orgId: string; sessionId: string; limit: number; after?: string },
): readonly ShareLinkRecord[] {
  // No id begins with a tilde: it comes after all of them.
  return sql<ShareLinkRecord>(
    `${select} WHERE l.org_id = ? AND l.session_id = ? AND l.id < ? ORDER BY l.id DESC LIMIT ?`,
  ).all(orgId, sessionId, after ?? "~", limit + 1);
}
