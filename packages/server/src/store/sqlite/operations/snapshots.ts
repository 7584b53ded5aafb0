import type { ArgsOf } from "../protocol.ts";
import type { Transaction } from "../transaction.ts";

/** Kept in the log that holds its seq, so that forks of this session find it. One at or before the point where the session was forked is left out: it would belong to the parent's log. */
export function putSnapshot(tx: Transaction, args: ArgsOf<"putSnapshot">): void {
  const { orgId, sessionId, epoch, seq, stateVersion, body } = args;
  const session = tx
    .sql<{ no: number }>(
      `SELECT no FROM sessions WHERE org_id = ?1 AND id = ?2 AND epoch = ?3 AND holder IS NOT NULL AND last_seq >= ?4
        AND NOT EXISTS (SELECT 1 FROM segments g WHERE g.org_id = ?1 AND g.session_no = sessions.no AND g.up_to_seq >= ?4)`,
    )
    .get(orgId, sessionId, epoch, seq);
  if (session === undefined) return;
  tx.sql(
    "INSERT OR REPLACE INTO snapshots (org_id, log_no, seq, state_version, body) VALUES (?, ?, ?, ?, ?)",
  ).run(orgId, session.no, seq, stateVersion, body);
  tx.sql(
    `DELETE FROM snapshots WHERE org_id = ?1 AND log_no = ?2 AND seq <
      (SELECT seq FROM snapshots WHERE org_id = ?1 AND log_no = ?2 ORDER BY seq DESC LIMIT 1 OFFSET 1)`,
  ).run(orgId, session.no);
}
