import type { DataKeyRecord, SystemVault } from "../../../vault.ts";
import type { Connection } from "../../connection.ts";

const columns = "org_id AS orgId, version, wrapped, master_id AS masterId";

/** The newest data key of an organization, or the one of a version. */
export function findDataKeyRecord(
  sql: Connection["sql"],
  orgId: string,
  version?: number,
): DataKeyRecord | null {
  const found =
    version === undefined
      ? sql<DataKeyRecord>(
          `SELECT ${columns} FROM data_keys WHERE org_id = ? ORDER BY version DESC LIMIT 1`,
        ).get(orgId)
      : sql<DataKeyRecord>(`SELECT ${columns} FROM data_keys WHERE org_id = ? AND version = ?`).get(
          orgId,
          version,
        );
  return found === undefined ? null : { ...found };
}

export function listForeignDataKeys(
  sql: Connection["sql"],
  { masterId, limit, after }: Parameters<SystemVault["listForeign"]>[0],
): DataKeyRecord[] {
  return sql<DataKeyRecord>(
    `SELECT ${columns} FROM data_keys WHERE master_id <> ? AND (org_id, version) > (?, ?)
      ORDER BY org_id, version LIMIT ?`,
  )
    .all(masterId, after?.orgId ?? "", after?.version ?? 0, limit)
    .map((row) => ({ ...row }));
}

export function countDataKeysByMaster(
  sql: Connection["sql"],
): readonly { masterId: string; dataKeys: number }[] {
  return sql<{ masterId: string; dataKeys: number }>(
    "SELECT master_id AS masterId, count(*) AS dataKeys FROM data_keys GROUP BY master_id",
  ).all();
}

export function listOrgsWithDataKeys(
  sql: Connection["sql"],
  { limit, after = "" }: { limit: number; after?: string },
): readonly string[] {
  return sql<{ orgId: string }>(
    "SELECT DISTINCT org_id AS orgId FROM data_keys WHERE org_id > ? ORDER BY org_id LIMIT ?",
  )
    .all(after, limit)
    .map(({ orgId }) => orgId);
}
