import type { Visibility } from "@berth/contract";
import type { Transaction } from "../../transaction.ts";

/** Who may see a session, on its row and on the rows that are listed without it. */
export function changeVisibility(
  tx: Transaction,
  { orgId, sessionId, no }: { orgId: string; sessionId: string; no: number },
  visibility: Visibility,
): void {
  const { changes } = tx
    .sql("UPDATE sessions SET visibility = ?1, updated_at = ?2 WHERE no = ?3 AND visibility <> ?1")
    .run(visibility, tx.now, no);
  if (Number(changes) === 0) return;
  const shared = visibility === "org" ? 1 : 0;
  tx.sql("UPDATE runs SET shared = ? WHERE org_id = ? AND session_id = ?").run(shared, orgId, sessionId);
  tx.sql("UPDATE approvals SET shared = ? WHERE org_id = ? AND session_id = ?").run(shared, orgId, sessionId);
}
