import type { UserConfigRecord, UserSettings } from "../../../user-config.ts";
import type { Connection } from "../../connection.ts";

interface Row {
  readonly orgId: string;
  readonly userId: string;
  readonly version: number;
  readonly config: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export function findUserConfigRecord(
  sql: Connection["sql"],
  orgId: string,
  userId: string,
): UserConfigRecord | null {
  const row = sql<Row>(
    `SELECT org_id AS orgId, user_id AS userId, version, config, created_at AS createdAt, updated_at AS updatedAt
      FROM user_configs WHERE org_id = ? AND user_id = ?`,
  ).get(orgId, userId);
  if (row === undefined) return null;
  const { config, ...rest } = row;
  return { ...rest, ...(JSON.parse(config) as UserSettings) };
}

/** The fragments of a time; before the first that is known, the first. */
export function findFragments(
  sql: Connection["sql"],
  { orgId, userId, at }: { orgId: string; userId: string; at: number },
): readonly string[] {
  const row = sql<{ fragments: string }>(
    `SELECT fragments FROM prompt_fragments WHERE org_id = ?1 AND user_id = ?2 AND since <= ?3
      ORDER BY since DESC LIMIT 1`,
  ).get(orgId, userId, at);
  return row === undefined ? [] : (JSON.parse(row.fragments) as string[]);
}
