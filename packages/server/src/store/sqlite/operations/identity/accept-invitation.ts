import { BerthError } from "../../../../lib/errors.ts";
import type { AccountRecord, InvitationRecord } from "../../../identity.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findAccountRecordByEmail } from "../../queries/identity/accounts.ts";
import { findMemberRecord } from "../../queries/identity/members.ts";
import { findOpenInvitation } from "../../queries/identity/invitations.ts";
import type { Transaction } from "../../transaction.ts";
import { changePassword, insertAccount, insertMember, requireAccount } from "./accounts.ts";
import { requireRole } from "./role-exists.ts";

export function acceptInvitation(tx: Transaction, args: ArgsOf<"acceptInvitation">): AccountRecord {
  const { orgId, tokenHash, as } = args;
  const invitation = findOpenInvitation(tx.sql, tokenHash, tx.now);
  if (invitation === null || invitation.orgId !== orgId || !isOpenOrg(tx, orgId)) throw invalid();
  const account = findAccountRecordByEmail(tx.sql, invitation.email);
  if ((account?.id ?? null) !== (as.kind === "new" ? null : as.userId)) throw invalid();
  if ((as.kind === "reset") !== (invitation.kind === "reset")) throw invalid();
  if (account !== null && account.status !== "active") throw invalid();
  if (as.kind === "reset") reset(tx, invitation, as);
  else join(tx, invitation, as);
  tx.sql("UPDATE invitations SET accepted_at = ?, accepted_by = ? WHERE org_id = ? AND id = ?").run(
    tx.now,
    as.userId,
    orgId,
    invitation.id,
  );
  return requireAccount(tx, as.userId);
}

type As<K> = Extract<ArgsOf<"acceptInvitation">["as"], { kind: K }>;

function join(tx: Transaction, invitation: InvitationRecord, as: As<"new" | "known">): void {
  const { orgId, email, role } = invitation;
  if (as.kind === "new") {
    // Whoever has the token had it from whoever invited, so the email is claimed and not proven.
    const { userId, name, passwordHash } = as;
    insertAccount(tx, { id: userId, name, email, emailVerified: false, passwordHash });
  }
  requireRole(tx, orgId, role);
  if (findMemberRecord(tx.sql, orgId, as.userId) === null) {
    insertMember(tx, { orgId, userId: as.userId, role });
  }
}

function reset(tx: Transaction, { orgId }: InvitationRecord, as: As<"reset">): void {
  if (findMemberRecord(tx.sql, orgId, as.userId) === null) throw invalid();
  changePassword(tx, { userId: as.userId, passwordHash: as.passwordHash, keepLogin: null });
}

function isOpenOrg(tx: Transaction, orgId: string): boolean {
  return tx.sql("SELECT 1 FROM orgs WHERE id = ? AND status = 'active'").get(orgId) !== undefined;
}

function invalid(): BerthError {
  return new BerthError(
    "invitation_invalid",
    "This invitation cannot be used: it has expired, was used, or was taken back. Ask for a new one.",
  );
}
