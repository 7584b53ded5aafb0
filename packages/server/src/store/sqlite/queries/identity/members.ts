import type { MemberRecord } from "../../../identity.ts";
import type { Connection } from "../../connection.ts";

type Sql = Connection["sql"];

const select = `SELECT m.org_id AS orgId, m.user_id AS userId, a.name, a.email, m.role, m.status, m.created_at AS createdAt,
    m.updated_at AS updatedAt, m.last_login_at AS lastLoginAt
  FROM members m JOIN accounts a ON a.id = m.user_id`;

export function findMemberRecord(sql: Sql, orgId: string, userId: string): MemberRecord | null {
  const row = sql<MemberRecord>(`${select} WHERE m.org_id = ? AND m.user_id = ?`).get(orgId, userId);
  return row === undefined ? null : { ...row };
}

export function listMemberRecords(
  sql: Sql,
  filter: { orgId: string; after: string; email: string | undefined; limit: number },
): MemberRecord[] {
  const { orgId, after, email, limit } = filter;
  const named = email === undefined ? "" : "AND a.email = ?4";
  return sql<MemberRecord>(
    `${select} WHERE m.org_id = ?1 AND m.user_id > ?2 ${named} ORDER BY m.user_id LIMIT ?3`,
  ).all(orgId, after, limit, ...(email === undefined ? [] : [email]));
}

export function isMemberElsewhere(sql: Sql, orgId: string, userId: string): boolean {
  return (
    sql("SELECT 1 FROM members WHERE user_id = ? AND org_id <> ? LIMIT 1").get(userId, orgId) !== undefined
  );
}
