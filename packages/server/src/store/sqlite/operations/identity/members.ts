import { BerthError } from "../../../../lib/errors.ts";
import type { MemberRecord } from "../../../identity.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findAccountRecord } from "../../queries/identity/accounts.ts";
import { findMemberRecord } from "../../queries/identity/members.ts";
import type { Transaction } from "../../transaction.ts";
import { voidResets } from "./accounts.ts";
import { endGivenAccess, voidInvitationsBy } from "./given-access.ts";
import { revokeKeysOf } from "./api-keys.ts";
import { keepAnOwner } from "./last-owner.ts";
import { requireRole } from "./role-exists.ts";

export function updateMember(tx: Transaction, args: ArgsOf<"updateMember">): MemberRecord | null {
  const { orgId, userId } = args;
  const member = findMemberRecord(tx.sql, orgId, userId);
  if (member === null) return null;
  refuseOperator(tx, userId);
  const { role = member.role, status = member.status } = args;
  if (args.role !== undefined) requireRole(tx, orgId, args.role);
  if (isOwner(member) && (role !== "owner" || status !== "active")) keepAnOwner(tx, orgId, userId);
  tx.sql("UPDATE members SET role = ?, status = ?, updated_at = ? WHERE org_id = ? AND user_id = ?").run(
    role,
    status,
    tx.now,
    orgId,
    userId,
  );
  if (role !== member.role) voidResets(tx, userId);
  const mayLess = role !== member.role && role !== "owner";
  if (status !== "active") endGivenAccess(tx, orgId, userId);
  else if (mayLess) voidInvitationsBy(tx, orgId, userId);
  return findMemberRecord(tx.sql, orgId, userId);
}

export function removeMember(tx: Transaction, { orgId, userId }: ArgsOf<"removeMember">): boolean {
  const member = findMemberRecord(tx.sql, orgId, userId);
  if (member === null) return false;
  refuseOperator(tx, userId);
  if (isOwner(member)) keepAnOwner(tx, orgId, userId);
  tx.sql("DELETE FROM members WHERE org_id = ? AND user_id = ?").run(orgId, userId);
  revokeKeysOf(tx, orgId, userId);
  endGivenAccess(tx, orgId, userId);
  tx.sql("DELETE FROM logins WHERE user_id = ? AND current_org = ?").run(userId, orgId);
  tx.sql(
    `UPDATE invitations SET revoked_at = ? WHERE org_id = ? AND accepted_at IS NULL AND revoked_at IS NULL
      AND email = (SELECT email FROM accounts WHERE id = ?)`,
  ).run(tx.now, orgId, userId);
  return true;
}

const isOwner = ({ role, status }: MemberRecord) => role === "owner" && status === "active";

function refuseOperator(tx: Transaction, userId: string): void {
  if (findAccountRecord(tx.sql, userId)?.operator !== true) return;
  throw new BerthError(
    "operator_account",
    "The admin key stands for this account: it owns the server's own organization and stays as it is.",
  );
}
