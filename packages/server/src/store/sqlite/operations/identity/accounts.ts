import { BerthError } from "../../../../lib/errors.ts";
import type { AccountRecord } from "../../../identity.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findAccountRecord } from "../../queries/identity/accounts.ts";
import type { Transaction } from "../../transaction.ts";

export function insertAccount(
  tx: Transaction,
  account: Pick<AccountRecord, "id" | "name" | "email" | "emailVerified" | "passwordHash">,
): void {
  const { id, name, email, emailVerified, passwordHash } = account;
  tx.sql(
    `INSERT INTO accounts (id, name, email, email_verified, password_hash, created_at, updated_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)`,
  ).run(id, name, email, emailVerified ? 1 : 0, passwordHash, tx.now);
}

export function insertMember(
  tx: Transaction,
  { orgId, userId, role }: { orgId: string; userId: string; role: string },
): void {
  tx.sql(
    "INSERT INTO members (org_id, user_id, role, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?4)",
  ).run(orgId, userId, role, tx.now);
  voidResets(tx, userId);
}

export function updateAccount(
  tx: Transaction,
  { userId, name }: ArgsOf<"updateAccount">,
): AccountRecord | null {
  tx.sql("UPDATE accounts SET name = ?, updated_at = ? WHERE id = ?").run(name, tx.now, userId);
  return findAccountRecord(tx.sql, userId);
}

export function setPassword(tx: Transaction, args: ArgsOf<"setPassword">): boolean {
  if (findAccountRecord(tx.sql, args.userId) === null) return false;
  changePassword(tx, args);
  return true;
}

/** Logins that began with the old password end, and open resets are void. */
export function changePassword(
  tx: Transaction,
  change: { userId: string; passwordHash: string | null; keepLogin: string | null },
): void {
  const { userId, passwordHash, keepLogin } = change;
  tx.sql("UPDATE accounts SET password_hash = ?, updated_at = ? WHERE id = ?").run(
    passwordHash,
    tx.now,
    userId,
  );
  tx.sql("DELETE FROM logins WHERE user_id = ? AND id IS NOT ?").run(userId, keepLogin);
  voidResets(tx, userId);
}

export function requireAccount(tx: Transaction, userId: string): AccountRecord {
  const account = findAccountRecord(tx.sql, userId);
  if (account === null) throw new BerthError("internal", `account ${userId} was written and cannot be read`);
  return account;
}

/** Who may do more, or belongs elsewhere too, is not let in by what was given out before. */
export function voidResets(tx: Transaction, userId: string): void {
  tx.sql(
    `UPDATE invitations SET revoked_at = ? WHERE kind = 'reset' AND accepted_at IS NULL AND revoked_at IS NULL
      AND email = (SELECT email FROM accounts WHERE id = ?)`,
  ).run(tx.now, userId);
}
