import type { Transaction } from "../../transaction.ts";

/** Who may do less lets nobody in any more by an invitation that nobody has used yet. */
export function voidInvitationsBy(tx: Transaction, orgId: string, inviter: string): void {
  tx.sql(
    `UPDATE invitations SET revoked_at = ? WHERE org_id = ? AND invited_by = ? AND accepted_at IS NULL
      AND revoked_at IS NULL`,
  ).run(tx.now, orgId, inviter);
}

/** Who is gone or suspended lets nobody in any more, and its share links open nothing: it may have kept one for itself. */
export function endGivenAccess(tx: Transaction, orgId: string, giver: string): void {
  voidInvitationsBy(tx, orgId, giver);
  tx.sql(
    "UPDATE share_links SET revoked_at = ? WHERE org_id = ? AND created_by = ? AND revoked_at IS NULL",
  ).run(tx.now, orgId, giver);
}
