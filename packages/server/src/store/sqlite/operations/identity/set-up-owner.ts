import { BerthError } from "../../../../lib/errors.ts";
import type { AccountRecord } from "../../../identity.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findAccountRecordByEmail } from "../../queries/identity/accounts.ts";
import type { Transaction } from "../../transaction.ts";
import { insertAccount, insertMember, requireAccount } from "./accounts.ts";

export function setUpOwner(tx: Transaction, args: ArgsOf<"setUpOwner">): AccountRecord | null {
  const { orgId, userId, name, email, passwordHash } = args;
  if (hasOwner(tx, orgId)) return null;
  if (findAccountRecordByEmail(tx.sql, email) !== null) throw emailTaken();
  insertAccount(tx, { id: userId, name, email, emailVerified: true, passwordHash });
  insertMember(tx, { orgId, userId, role: "owner" });
  return requireAccount(tx, userId);
}

/** A person who owns it: whom the admin key stands for is none. */
function hasOwner(tx: Transaction, orgId: string): boolean {
  const found = tx.sql(
    `SELECT 1 FROM members m JOIN accounts a ON a.id = m.user_id
      WHERE m.org_id = ? AND m.role = 'owner' AND a.operator = 0 LIMIT 1`,
  );
  return found.get(orgId) !== undefined;
}

function emailTaken(): BerthError {
  return new BerthError(
    "email_taken",
    "Somebody in another organization has this email: invite that person with `berth user invite --role owner`.",
  );
}
