import { BerthError } from "../../../lib/errors.ts";
import type { Idempotency, Outcome } from "../../store.ts";
import type { Transaction } from "../transaction.ts";

const keptMs = 24 * 3_600_000;

/**
 * Does a change once for its idempotency key: the key, the hash of its body and its result commit with the change itself.
 * A change that is refused leaves no row, so that it may be tried again.
 */
export function once<T>(
  tx: Transaction,
  request: { readonly orgId: string; readonly idempotency?: Idempotency | undefined },
  change: () => T,
): Outcome<T> {
  const { orgId, idempotency } = request;
  if (idempotency === undefined) return { result: change(), replayed: false };
  const { scope, key, bodyHash } = idempotency;
  const stored = tx
    .sql<{ bodyHash: string; result: string }>(
      `SELECT body_hash AS bodyHash, result FROM idempotency
        WHERE org_id = ? AND scope = ? AND key = ? AND created_at > ?`,
    )
    .get(orgId, scope, key, tx.now - keptMs);
  if (stored !== undefined) {
    if (stored.bodyHash === bodyHash) return { result: JSON.parse(stored.result) as T, replayed: true };
    throw new BerthError(
      "idempotency_mismatch",
      "This Idempotency-Key was used before with another body: use a new key for a new request.",
    );
  }
  const result = change();
  tx.sql(
    `INSERT OR REPLACE INTO idempotency (org_id, scope, key, body_hash, created_at, result) VALUES (?, ?, ?, ?, ?, ?)`,
  ).run(orgId, scope, key, bodyHash, tx.now, JSON.stringify(result));
  return { result, replayed: false };
}
