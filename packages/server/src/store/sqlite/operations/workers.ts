import type { Transaction } from "../transaction.ts";

export function heartbeat(tx: Transaction, workerId: string): void {
  tx.sql(`INSERT INTO workers (id, heartbeat_at) VALUES (?, ?)
    ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at`).run(
    workerId,
    Math.floor(tx.steady),
  );
}

/** An orderly end: what it held has not killed it, so the count of claims starts anew. */
export function removeWorker(tx: Transaction, workerId: string): void {
  tx.sql("DELETE FROM workers WHERE id = ?").run(workerId);
  tx.sql("UPDATE sessions SET holder = NULL, claims = 0 WHERE holder = ?").run(workerId);
}
