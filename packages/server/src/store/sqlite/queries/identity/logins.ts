import type { LoginRecord } from "../../../identity.ts";
import type { Connection } from "../../connection.ts";

type Sql = Connection["sql"];

const select = `SELECT id, user_id AS userId, current_org AS orgId, csrf_hash AS csrfHash, method, address, agent,
    created_at AS createdAt, last_seen_at AS lastSeenAt, expires_at AS expiresAt FROM logins`;

export function findLoginRecord(sql: Sql, tokenHash: string, now: number): LoginRecord | null {
  const row = sql<LoginRecord>(`${select} WHERE token_hash = ? AND expires_at > ?`).get(tokenHash, now);
  return row === undefined ? null : { ...row };
}

export function listLoginRecords(sql: Sql, userId: string, now: number): LoginRecord[] {
  return sql<LoginRecord>(`${select} WHERE user_id = ? AND expires_at > ? ORDER BY id DESC`).all(userId, now);
}
