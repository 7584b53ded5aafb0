import type { OrgVault, SandboxSecretRecord, SealedSecret, SecretName } from "../../../vault.ts";
import type { Connection } from "../../connection.ts";

const columns = "id, owner, kind, name, sealed, key_version AS keyVersion";

export function findSealedSecret(
  sql: Connection["sql"],
  { orgId, owner, kind, name }: SecretName & { readonly orgId: string },
): SealedSecret | null {
  const found = sql<SealedSecret>(
    `SELECT ${columns} FROM secrets WHERE org_id = ? AND owner = ? AND kind = ? AND name = ?`,
  ).get(orgId, owner, kind, name);
  return found === undefined ? null : { ...found };
}

export function listSandboxSecretRecords(sql: Connection["sql"], orgId: string): SandboxSecretRecord[] {
  return sql<SandboxSecretRecord>(
    `SELECT name, created_at AS createdAt, updated_at AS updatedAt FROM secrets
      WHERE org_id = ? AND owner = '' AND kind = 'sandbox' ORDER BY name`,
  )
    .all(orgId)
    .map((row) => ({ ...row }));
}

export function listOlderSecrets(
  sql: Connection["sql"],
  { orgId, keyVersion, limit, after = "" }: Parameters<OrgVault["listOlder"]>[0] & { readonly orgId: string },
): SealedSecret[] {
  return sql<SealedSecret>(
    `SELECT ${columns} FROM secrets WHERE org_id = ? AND key_version < ? AND id > ? ORDER BY id LIMIT ?`,
  )
    .all(orgId, keyVersion, after, limit)
    .map((row) => ({ ...row }));
}

export function countAllSecrets(sql: Connection["sql"]): { total: number; pending: number } {
  const found = sql<{ total: number; pending: number }>(
    `SELECT count(*) AS total, coalesce(sum(s.key_version < k.newest), 0) AS pending FROM secrets s
      JOIN (SELECT org_id, max(version) AS newest FROM data_keys GROUP BY org_id) k ON k.org_id = s.org_id`,
  ).get();
  return { total: found?.total ?? 0, pending: found?.pending ?? 0 };
}
