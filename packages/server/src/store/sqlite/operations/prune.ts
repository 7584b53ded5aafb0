import type { ArgsOf } from "../protocol.ts";
import type { Transaction } from "../transaction.ts";

/** At most `limit` rows of each kind, so that no batch waits long. Returns how many rows went. An id whose input still waits stays. */
export function prune(tx: Transaction, { idempotencyMs, limit }: ArgsOf<"prune">): number {
  const before = tx.now - idempotencyMs;
  const requests = tx
    .sql(`DELETE FROM idempotency WHERE rowid IN
      (SELECT rowid FROM idempotency WHERE created_at <= ? ORDER BY created_at LIMIT ?)`)
    .run(before, limit);
  const clientIds = tx
    .sql(`DELETE FROM client_ids WHERE (org_id, session_no, client_id) IN
      (SELECT c.org_id, c.session_no, c.client_id FROM client_ids c WHERE c.accepted_at <= ?
        AND NOT EXISTS (SELECT 1 FROM mailbox m
          WHERE m.org_id = c.org_id AND m.session_no = c.session_no AND m.id = c.input_id)
        ORDER BY c.accepted_at LIMIT ?)`)
    .run(before, limit);
  return Number(requests.changes) + Number(clientIds.changes);
}
