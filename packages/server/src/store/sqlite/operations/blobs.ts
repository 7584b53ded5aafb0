import type { Transaction } from "../transaction.ts";

export function noteBlob(
  tx: Transaction,
  { orgId, hash, size }: { orgId: string; hash: string; size: number },
): void {
  tx.sql(`INSERT INTO blobs (org_id, hash, size, noted_at, referenced)
    VALUES (?1, ?2, ?3, ?4, EXISTS (SELECT 1 FROM blob_refs WHERE org_id = ?1 AND hash = ?2))
    ON CONFLICT (org_id, hash) DO UPDATE SET noted_at = excluded.noted_at`).run(orgId, hash, size, tx.now);
}

export interface BlobReferences {
  readonly orgId: string;
  readonly logNo: number;
  readonly seq: number;
  readonly hashes: readonly string[];
}

/** A log refers to blobs from `seq` on; a hash that it names already keeps its first seq. */
export function referToBlobs(tx: Transaction, { orgId, logNo, seq, hashes }: BlobReferences): void {
  for (const hash of hashes) {
    tx.sql("INSERT OR IGNORE INTO blob_refs (org_id, hash, log_no, seq) VALUES (?, ?, ?, ?)").run(
      orgId,
      hash,
      logNo,
      seq,
    );
    tx.sql("UPDATE blobs SET referenced = 1 WHERE org_id = ? AND hash = ? AND referenced = 0").run(
      orgId,
      hash,
    );
  }
}

/** The references of a log after `seq` go; what they named is as old as now. Returns how many went. */
export function dropReferences(
  tx: Transaction,
  log: { logNo: number; after: number; limit: number },
): number {
  const rows = tx
    .sql<{ orgId: string; hash: string }>(
      "SELECT org_id AS orgId, hash FROM blob_refs WHERE log_no = ? AND seq > ? LIMIT ?",
    )
    .all(log.logNo, log.after, log.limit);
  for (const { orgId, hash } of rows) {
    tx.sql("DELETE FROM blob_refs WHERE org_id = ? AND hash = ? AND log_no = ?").run(orgId, hash, log.logNo);
    tx.sql(`UPDATE blobs SET noted_at = ?3, referenced = EXISTS
      (SELECT 1 FROM blob_refs WHERE org_id = ?1 AND hash = ?2) WHERE org_id = ?1 AND hash = ?2`).run(
      orgId,
      hash,
      tx.now,
    );
  }
  return rows.length;
}

/** Oldest first, without those that an input names which still waits. Their rows go, so that a put that comes later notes them anew. */
export function collectBlobs(
  tx: Transaction,
  { ageMs, limit }: { ageMs: number; limit: number },
): readonly { orgId: string; hash: string }[] {
  const rows = tx
    .sql<{ orgId: string; hash: string }>(
      `SELECT org_id AS orgId, hash FROM blobs WHERE referenced = 0 AND noted_at <= ?
          AND NOT EXISTS (SELECT 1 FROM mailbox m WHERE m.org_id = blobs.org_id AND instr(m.body, blobs.hash) > 0)
        ORDER BY noted_at LIMIT ?`,
    )
    .all(tx.now - ageMs, limit);
  for (const { orgId, hash } of rows)
    tx.sql("DELETE FROM blobs WHERE org_id = ? AND hash = ?").run(orgId, hash);
  return rows.map(({ orgId, hash }) => ({ orgId, hash }));
}
