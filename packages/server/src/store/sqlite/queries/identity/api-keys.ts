import type { ApiKeyRecord } from "../../../identity.ts";
import type { Connection } from "../../connection.ts";

type Sql = Connection["sql"];
type KeyRow = Omit<ApiKeyRecord, "scopes"> & { readonly scopes: string | null };

const columns = `org_id AS orgId, id, prefix, name, principal_type AS principalType, principal_id AS principalId, scopes,
    created_by AS createdBy, created_at AS createdAt, expires_at AS expiresAt, last_used_at AS lastUsedAt,
    revoked_at AS revokedAt, replaced_by AS replacedBy`;

function apiKeyRecord(row: KeyRow): ApiKeyRecord {
  return { ...row, scopes: row.scopes === null ? null : (JSON.parse(row.scopes) as string[]) };
}

export function findApiKeyRecord(sql: Sql, orgId: string, id: string): ApiKeyRecord | null {
  const row = sql<KeyRow>(`SELECT ${columns} FROM api_keys WHERE org_id = ? AND id = ?`).get(orgId, id);
  return row === undefined ? null : apiKeyRecord(row);
}

/** Newest first. */
export function listApiKeyRecords(
  sql: Sql,
  filter: { orgId: string; principalId: string | undefined; before: string; limit: number },
): ApiKeyRecord[] {
  const { orgId, principalId, before, limit } = filter;
  const whose = principalId === undefined ? "" : "AND principal_id = ?4";
  return sql<KeyRow>(
    `SELECT ${columns} FROM api_keys WHERE org_id = ?1 AND id < ?2 ${whose} ORDER BY id DESC LIMIT ?3`,
  )
    .all(orgId, before, limit, ...(principalId === undefined ? [] : [principalId]))
    .map(apiKeyRecord);
}

export function countUsableKeys(sql: Sql, orgId: string, now: number): number {
  const row = sql<{ count: number }>(
    `SELECT count(*) AS count FROM api_keys
      WHERE org_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)`,
  ).get(orgId, now);
  return row?.count ?? 0;
}

/** A key and its hash, whatever organization it is of. */
export function findKeyByPrefix(sql: Sql, prefix: string): { key: ApiKeyRecord; hash: string } | null {
  const row = sql<KeyRow & { hash: string }>(`SELECT ${columns}, hash FROM api_keys WHERE prefix = ?`).get(
    prefix,
  );
  if (row === undefined) return null;
  const { hash, ...key } = row;
  return { key: apiKeyRecord(key), hash };
}
