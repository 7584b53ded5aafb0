import { BerthError } from "../../../../lib/errors.ts";
import type { InvitationRecord, NewInvitation } from "../../../identity.ts";
import type { Outcome } from "../../../store.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findInvitationRecord } from "../../queries/identity/invitations.ts";
import type { Transaction } from "../../transaction.ts";
import { once } from "../idempotency.ts";
import { requireRole } from "./role-exists.ts";

export function createInvitation(
  tx: Transaction,
  args: ArgsOf<"createInvitation">,
): Outcome<InvitationRecord> {
  const { orgId, ...invitation } = args;
  return once(tx, args, () => {
    requireRole(tx, orgId, invitation.role);
    const isMember = hasMember(tx, orgId, invitation.email);
    if (invitation.kind === "join" && isMember) {
      throw new BerthError(
        "already_member",
        `${invitation.email} is a member already: change the role of that member instead.`,
      );
    }
    if (invitation.kind === "reset" && !isMember) {
      throw new BerthError("member_not_found", `There is no member ${invitation.email}.`);
    }
    return insertInvitation(tx, orgId, invitation);
  });
}

/** Takes the place of open ones of its kind to the same address. */
export function insertInvitation(
  tx: Transaction,
  orgId: string,
  invitation: NewInvitation,
): InvitationRecord {
  const { id, kind, email, name, role, tokenHash, invitedBy, expiresAt } = invitation;
  tx.sql(
    `UPDATE invitations SET revoked_at = ? WHERE org_id = ? AND kind = ? AND email = ? AND accepted_at IS NULL
      AND revoked_at IS NULL`,
  ).run(tx.now, orgId, kind, email);
  tx.sql(
    `INSERT INTO invitations (org_id, id, kind, email, name, role, token_hash, invited_by, created_at, expires_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(orgId, id, kind, email, name, role, tokenHash, invitedBy, tx.now, expiresAt);
  const written = findInvitationRecord(tx.sql, orgId, id);
  if (written === null) throw new BerthError("internal", `invitation ${id} was written and cannot be read`);
  return written;
}

export function revokeInvitation(tx: Transaction, { orgId, id }: ArgsOf<"revokeInvitation">): boolean {
  const { changes } = tx
    .sql(
      `UPDATE invitations SET revoked_at = ?1 WHERE org_id = ?2 AND id = ?3 AND accepted_at IS NULL AND revoked_at IS NULL
        AND expires_at > ?1`,
    )
    .run(tx.now, orgId, id);
  return Number(changes) > 0;
}

function hasMember(tx: Transaction, orgId: string, email: string): boolean {
  const row = tx
    .sql("SELECT 1 FROM members m JOIN accounts a ON a.id = m.user_id WHERE m.org_id = ? AND a.email = ?")
    .get(orgId, email);
  return row !== undefined;
}
