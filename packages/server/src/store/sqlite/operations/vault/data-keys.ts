import { BerthError } from "../../../../lib/errors.ts";
import type { DataKeyRecord } from "../../../vault.ts";
import type { VaultOperations } from "../../protocol/vault.ts";
import { findDataKeyRecord } from "../../queries/vault/data-keys.ts";
import type { Transaction } from "../../transaction.ts";

type Args<K extends keyof VaultOperations> = Parameters<VaultOperations[K]>[0];

export function addDataKey(tx: Transaction, args: Args<"addDataKey">): DataKeyRecord {
  const { orgId, version, wrapped, masterId } = args;
  tx.sql(
    `INSERT INTO data_keys (org_id, version, wrapped, master_id, created_at) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (org_id, version) DO NOTHING`,
  ).run(orgId, version, wrapped, masterId, tx.now);
  const found = findDataKeyRecord(tx.sql, orgId, version);
  if (found === null) throw new BerthError("internal", "a data key was written and cannot be read");
  return found;
}

export function rewrapDataKeys(tx: Transaction, keys: Args<"rewrapDataKeys">): number {
  let changed = 0;
  for (const { orgId, version, wrapped, masterId, oldMasterId } of keys) {
    const { changes } = tx
      .sql(
        "UPDATE data_keys SET wrapped = ?, master_id = ? WHERE org_id = ? AND version = ? AND master_id = ?",
      )
      .run(wrapped, masterId, orgId, version, oldMasterId);
    changed += Number(changes);
  }
  return changed;
}

export function resealSecrets(tx: Transaction, { orgId, secrets }: Args<"resealSecrets">): number {
  let changed = 0;
  for (const { id, sealed, keyVersion, oldKeyVersion } of secrets) {
    const { changes } = tx
      .sql("UPDATE secrets SET sealed = ?, key_version = ? WHERE org_id = ? AND id = ? AND key_version = ?")
      .run(sealed, keyVersion, orgId, id, oldKeyVersion);
    changed += Number(changes);
  }
  return changed;
}

export function dropDataKeys(tx: Transaction, { orgId, before }: Args<"dropDataKeys">): number {
  const { changes } = tx
    .sql(
      `DELETE FROM data_keys WHERE org_id = ?1 AND version < ?2 AND NOT EXISTS (
        SELECT 1 FROM secrets s WHERE s.org_id = ?1 AND s.key_version = data_keys.version)`,
    )
    .run(orgId, before);
  return Number(changes);
}
