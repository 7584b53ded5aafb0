import type { ArgsOf } from "../protocol.ts";
import type { Transaction } from "../transaction.ts";
import { dropReferences } from "./blobs.ts";

/** A log that its session no longer needs, because it is deleted; forks may. */
export function markDead(tx: Transaction, orgId: string, logNo: number): void {
  tx.sql("INSERT INTO dead_logs (org_id, log_no, pending) VALUES (?, ?, 1)").run(orgId, logNo);
}

/** A fork that shared this log is gone: if the log is dead, some of it may go now. */
export function reconsider(tx: Transaction, orgId: string, logNo: number): void {
  tx.sql("UPDATE dead_logs SET pending = 1 WHERE org_id = ? AND log_no = ?").run(orgId, logNo);
}

/**
 * Deletes what no fork needs of one dead log: blocks, snapshots and blob references after the last seq that a fork shares.
 * At most `limit` rows at a time, so that no batch waits long. Returns how many dead logs are still to be looked at.
 */
export function dropDeadLogs(tx: Transaction, { limit }: ArgsOf<"dropDeadLogs">): number {
  const log = tx
    .sql<{ orgId: string; logNo: number }>(
      "SELECT org_id AS orgId, log_no AS logNo FROM dead_logs WHERE pending = 1 ORDER BY log_no LIMIT 1",
    )
    .get();
  if (log === undefined) return 0;
  const { orgId, logNo } = log;
  const shared = tx
    .sql<{ upTo: number | null }>("SELECT max(up_to_seq) AS upTo FROM segments WHERE log_no = ?")
    .get(logNo);
  const after = shared?.upTo ?? 0;
  const snapshots = tx
    .sql("DELETE FROM snapshots WHERE org_id = ? AND log_no = ? AND seq > ?")
    .run(orgId, logNo, after);
  const references = dropReferences(tx, { logNo, after, limit });
  const blocks = tx
    .sql(`DELETE FROM log_blocks WHERE id IN
      (SELECT id FROM log_blocks WHERE log_no = ? AND first_seq > ? ORDER BY first_seq LIMIT ?)`)
    .run(logNo, after, limit);
  if (Number(snapshots.changes) + references + Number(blocks.changes) === 0) {
    const done = after === 0 ? "DELETE FROM dead_logs" : "UPDATE dead_logs SET pending = 0";
    tx.sql(`${done} WHERE org_id = ? AND log_no = ?`).run(orgId, logNo);
  }
  const open = tx.sql<{ open: number }>("SELECT count(*) AS open FROM dead_logs WHERE pending = 1").get();
  return open?.open ?? 0;
}
