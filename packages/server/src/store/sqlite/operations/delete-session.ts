import type { SessionRef } from "../protocol.ts";
import type { Transaction } from "../transaction.ts";
import { dropBudgetsOf } from "./budgets/change-budgets.ts";
import { settleLost } from "./budgets/settle.ts";
import { markDead, reconsider } from "./dead-logs.ts";

const byNumber = ["mailbox", "client_ids", "timers", "rewinds", "segments", "budget_waits"] as const;
const byId = ["runs", "approvals", "share_links"] as const;

/** The log itself goes in slices afterwards (dead-logs.ts): it may be long, and forks may share it. */
export function deleteSession(tx: Transaction, { orgId, sessionId }: SessionRef): boolean {
  const session = tx
    .sql<{ no: number }>("SELECT no FROM sessions WHERE org_id = ? AND id = ?")
    .get(orgId, sessionId);
  if (session === undefined) return false;
  const { no } = session;
  const shared = tx
    .sql<{ logNo: number }>("SELECT log_no AS logNo FROM segments WHERE org_id = ? AND session_no = ?")
    .all(orgId, no);
  settleLost(tx, { orgId, sessionId, no, epoch: Number.MAX_SAFE_INTEGER });
  dropBudgetsOf(tx, orgId, sessionId);
  for (const table of byNumber)
    tx.sql(`DELETE FROM ${table} WHERE org_id = ? AND session_no = ?`).run(orgId, no);
  for (const table of byId)
    tx.sql(`DELETE FROM ${table} WHERE org_id = ? AND session_id = ?`).run(orgId, sessionId);
  tx.sql("DELETE FROM sessions WHERE no = ?").run(no);
  tx.hints.delete({ orgId, sessionId });
  markDead(tx, orgId, no);
  for (const { logNo } of shared) reconsider(tx, orgId, logNo);
  return true;
}
