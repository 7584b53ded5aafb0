import { BerthError } from "../../../../lib/errors.ts";
import type { AccountRecord } from "../../../identity.ts";
import type { Outcome } from "../../../store.ts";
import type { ArgsOf } from "../../protocol.ts";
import {
  findAccountRecord,
  findAccountRecordByEmail,
  findAccountRecordByIdentity,
} from "../../queries/identity/accounts.ts";
import { findMemberRecord } from "../../queries/identity/members.ts";
import type { Transaction } from "../../transaction.ts";
import { changePassword, insertAccount, insertMember, requireAccount, voidResets } from "./accounts.ts";
import { voidInvitationsBy } from "./given-access.ts";
import { keepAnOwner } from "./last-owner.ts";
import { requireRole } from "./role-exists.ts";

type Args = ArgsOf<"provision">;

export function provision(tx: Transaction, args: Args): Outcome<AccountRecord> {
  const { identity } = args;
  const named = identity === null ? null : findAccountRecordByIdentity(tx.sql, identity);
  const known = named ?? findAccountRecord(tx.sql, args.userId);
  const userId = known?.id ?? accountFor(tx, args);
  if (named === null && identity !== null) nameIdentity(tx, userId, identity);
  const joined = joinAs(tx, userId, args);
  const changed = known === null || (named === null && identity !== null) || joined;
  return { result: requireAccount(tx, userId), replayed: !changed };
}

/** The account that has the verified email, else a new one. */
function accountFor(tx: Transaction, args: Args): string {
  const { userId, name, emailVerified } = args;
  const email = emailVerified ? args.email : null;
  const found = email === null ? null : findAccountRecordByEmail(tx.sql, email);
  if (found === null) {
    insertAccount(tx, { id: userId, name, email, emailVerified: email !== null, passwordHash: null });
    return userId;
  }
  if (!found.emailVerified) {
    // Somebody may have claimed the email before its owner came, and must not keep a way in.
    changePassword(tx, { userId: found.id, passwordHash: null, keepLogin: null });
    tx.sql(
      `UPDATE api_keys SET revoked_at = ? WHERE revoked_at IS NULL
        AND (org_id, principal_id) IN (SELECT org_id, user_id FROM members WHERE user_id = ?)`,
    ).run(tx.now, found.id);
    tx.sql("UPDATE accounts SET email_verified = 1 WHERE id = ?").run(found.id);
  }
  return found.id;
}

function nameIdentity(tx: Transaction, userId: string, identity: NonNullable<Args["identity"]>): void {
  const { source, issuer, subject } = identity;
  tx.sql("INSERT INTO identities (source, issuer, subject, user_id, created_at) VALUES (?, ?, ?, ?, ?)").run(
    source,
    issuer,
    subject,
    userId,
    tx.now,
  );
}

/** True when the membership or its role is new. */
function joinAs(tx: Transaction, userId: string, { orgId, role, updateRole }: Args): boolean {
  const member = findMemberRecord(tx.sql, orgId, userId);
  if (member !== null && (!updateRole || member.role === role)) return false;
  requireRole(tx, orgId, role);
  if (member === null) {
    refuseErasing(tx, orgId);
    insertMember(tx, { orgId, userId, role });
    return true;
  }
  if (member.role === "owner" && member.status === "active") keepAnOwner(tx, orgId, userId);
  tx.sql("UPDATE members SET role = ?, updated_at = ? WHERE org_id = ? AND user_id = ?").run(
    role,
    tx.now,
    orgId,
    userId,
  );
  voidResets(tx, userId);
  if (role !== "owner") voidInvitationsBy(tx, orgId, userId);
  return true;
}

/** Whoever joined while it is erased would be left over. */
function refuseErasing(tx: Transaction, orgId: string): void {
  if (tx.sql("SELECT 1 FROM orgs WHERE id = ? AND status = 'erasing'").get(orgId) === undefined) return;
  throw new BerthError("org_erasing", "This organization is being erased: nobody joins it any more.");
}
