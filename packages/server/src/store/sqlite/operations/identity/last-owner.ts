import { BerthError } from "../../../../lib/errors.ts";
import type { Transaction } from "../../transaction.ts";

/** Throws `last_owner` when nobody else can own the organization once this member does not. */
export function keepAnOwner(tx: Transaction, orgId: string, leaving: string): void {
  const owns = "m.org_id = ?1 AND m.role = 'owner' AND m.status = 'active' AND a.status = 'active'";
  const rows = tx
    .sql<{ userId: string }>(
      `SELECT m.user_id AS userId FROM members m JOIN accounts a ON a.id = m.user_id WHERE ${owns}`,
    )
    .all(orgId);
  if (rows.some(({ userId }) => userId !== leaving)) return;
  if (rows.length === 0) return;
  throw new BerthError(
    "last_owner",
    "This is the organization's last owner: make somebody else an owner first.",
  );
}
