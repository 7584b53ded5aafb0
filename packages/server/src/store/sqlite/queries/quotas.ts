import { type QuotaName, quotaNames } from "@berth/contract";
import type { OrgShare, QuotaRecord } from "../../limits.ts";
import type { Connection } from "../connection.ts";

type Sql = Connection["sql"];

/** How the tables write that something is not limited. */
export const noLimit = Number.MAX_SAFE_INTEGER;

/** As the triggers of the tables count, so that what is shown is what is compared. */
const used: Readonly<Record<QuotaName, string>> = {
  sessions: "SELECT coalesce(sum(count), 0) AS used FROM session_counts WHERE org_id = ?1",
  runningSessions:
    "SELECT coalesce(sum(count), 0) AS used FROM session_counts WHERE org_id = ?1 AND status = 'running'",
  storedBytes: "SELECT coalesce(sum(bytes), 0) AS used FROM stored_bytes WHERE org_id = ?1",
  agents: "SELECT count(*) AS used FROM agents WHERE org_id = ?1 AND archived = 0",
  apiKeys: `SELECT count(*) AS used FROM api_keys WHERE org_id = ?1 AND revoked_at IS NULL AND replaced_by IS NULL
    AND (expires_at IS NULL OR expires_at > ?2)`,
  members: "SELECT count(*) AS used FROM members WHERE org_id = ?1",
};

export function listQuotas(sql: Sql, orgId: string, now: number): QuotaRecord[] {
  return quotaNames.map((name) => {
    const { value, source } = findQuota(sql, orgId, name);
    const values = name === "apiKeys" ? [orgId, now] : [orgId];
    const row = sql<{ used: number }>(used[name]).get(...values);
    return { name, limit: limitOf(value), used: row?.used ?? 0, source };
  });
}

export function findShare(sql: Sql, orgId: string): OrgShare {
  const row = sql<{ weight: number | null }>(
    "SELECT json_extract(settings, '$.weight') AS weight FROM orgs WHERE id = ?",
  ).get(orgId);
  return {
    weight: row?.weight ?? 1,
    runningSessions: limitOf(findQuota(sql, orgId, "runningSessions").value),
  };
}

function findQuota(sql: Sql, orgId: string, name: QuotaName): { value: number; source: "org" | "default" } {
  const own = sql<{ value: number }>("SELECT value FROM quotas WHERE org_id = ? AND name = ?").get(
    orgId,
    name,
  );
  if (own !== undefined) return { value: own.value, source: "org" };
  const other = sql<{ value: number }>("SELECT value FROM quota_defaults WHERE name = ?").get(name);
  return { value: other?.value ?? noLimit, source: "default" };
}

function limitOf(value: number): number | null {
  return value === noLimit ? null : value;
}
