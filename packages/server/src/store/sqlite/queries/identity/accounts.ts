import type { AccountRecord } from "../../../identity.ts";
import type { Connection } from "../../connection.ts";

type Sql = Connection["sql"];
type AccountRow = Omit<AccountRecord, "emailVerified" | "operator"> & {
  readonly emailVerified: number;
  readonly operator: number;
};

const select = `SELECT id, name, email, email_verified AS emailVerified, password_hash AS passwordHash, status,
    created_at AS createdAt, updated_at AS updatedAt, last_login_at AS lastLoginAt, operator FROM accounts`;

function accountRecord(row: AccountRow): AccountRecord {
  return { ...row, emailVerified: row.emailVerified === 1, operator: row.operator === 1 };
}

export function findAccountRecord(sql: Sql, userId: string): AccountRecord | null {
  const row = sql<AccountRow>(`${select} WHERE id = ?`).get(userId);
  return row === undefined ? null : accountRecord(row);
}

export function findAccountRecordByEmail(sql: Sql, email: string): AccountRecord | null {
  const row = sql<AccountRow>(`${select} WHERE email = ?`).get(email);
  return row === undefined ? null : accountRecord(row);
}

export function findAccountRecordByIdentity(
  sql: Sql,
  { source, issuer, subject }: { source: string; issuer: string; subject: string },
): AccountRecord | null {
  const row = sql<AccountRow>(
    `${select} WHERE id = (SELECT user_id FROM identities WHERE source = ? AND issuer = ? AND subject = ?)`,
  ).get(source, issuer, subject);
  return row === undefined ? null : accountRecord(row);
}
