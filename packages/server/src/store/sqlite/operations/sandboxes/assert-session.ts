import { BerthError } from "../../../../lib/errors.ts";
import type { Transaction } from "../../transaction.ts";

/** A session that was deleted meanwhile gets nothing that nobody would take back. */
export function assertSession(
  tx: Transaction,
  { orgId, sessionId }: { readonly orgId: string; readonly sessionId: string },
): void {
  const found = tx.sql("SELECT 1 FROM sessions WHERE org_id = ? AND id = ?").get(orgId, sessionId);
  if (found === undefined) throw new BerthError("session_not_found", `There is no session ${sessionId}.`);
}
