import { BerthError } from "../../../../lib/errors.ts";
import type { SecretChanges } from "../../../vault.ts";
import { findDataKeyRecord } from "../../queries/vault/data-keys.ts";
import type { Transaction } from "../../transaction.ts";

/** Writes and deletes the secrets of a change, in its transaction. */
export function changeSecrets(tx: Transaction, orgId: string, { put, drop, by }: SecretChanges): void {
  for (const { owner, kind, name } of drop) {
    tx.sql("DELETE FROM secrets WHERE org_id = ? AND owner = ? AND kind = ? AND name = ?").run(
      orgId,
      owner,
      kind,
      name,
    );
  }
  for (const { id, owner, kind, name, sealed, keyVersion } of put) {
    // A rotation may have ended since this was sealed.
    if (findDataKeyRecord(tx.sql, orgId, keyVersion) === null) throw keyRotated();
    tx.sql(`INSERT INTO secrets (org_id, id, owner, kind, name, sealed, key_version, created_by, created_at, updated_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)
      ON CONFLICT (org_id, owner, kind, name) DO UPDATE SET id = excluded.id, sealed = excluded.sealed,
        key_version = excluded.key_version, updated_at = excluded.updated_at`).run(
      orgId,
      id,
      owner,
      kind,
      name,
      sealed,
      keyVersion,
      by,
      tx.now,
    );
  }
}

function keyRotated(): BerthError {
  const message = "The organization's data key was replaced meanwhile: send the request again.";
  return new BerthError("store_unavailable", message, { retryable: true });
}
