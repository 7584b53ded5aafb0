import type { SessionRef } from "../protocol.ts";
import type { Connection } from "../connection.ts";

export interface Orphan extends SessionRef {
  readonly no: number;
  readonly owner: string;
}

/**
 * A session may be found twice over when it runs and has inputs; UNION makes one of them. A run that only waits takes nothing but
 * control inputs (lane 0): what else is in its mailbox waits too, and a claim would lead to nothing. Nothing runs in an organization
 * that is suspended.
 */
const orphans = `SELECT no, org_id AS orgId, id AS sessionId, owner FROM sessions
  WHERE no IN (SELECT m.session_no FROM mailbox m JOIN sessions w ON w.no = m.session_no
      WHERE m.lane = 0 OR w.status <> 'waiting' UNION SELECT no FROM sessions r
      WHERE r.status = 'running' AND r.status IN ('running', 'waiting', 'quarantined'))
    AND status <> 'quarantined' AND org_id NOT IN (SELECT id FROM orgs WHERE status = 'suspended')
    AND (holder IS NULL OR NOT EXISTS (SELECT 1 FROM workers w WHERE w.id = holder AND w.heartbeat_at > ?))`;

/** In the order of session numbers, from the one after `after`. */
export function findOrphans(
  sql: Connection["sql"],
  { aliveSince, after, limit }: { aliveSince: number; after: number; limit: number },
): Orphan[] {
  return sql<Orphan>(`${orphans} AND no > ? ORDER BY no LIMIT ?`).all(aliveSince, after, limit);
}
