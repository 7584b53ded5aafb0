import type { ArgsOf } from "../../protocol.ts";
import { heldStates } from "../../queries/sandboxes/sandboxes.ts";
import type { Transaction } from "../../transaction.ts";

export function beginWorkspaceCopy(
  tx: Transaction,
  { from, to, deployment }: ArgsOf<"beginWorkspaceCopy">,
): boolean {
  const row = tx
    .sql("SELECT 1 FROM workspaces WHERE workspace_id = ? AND host = ? LIMIT 1")
    .get(from.workspaceId, from.host);
  if (row === undefined) return false;
  cancelWorkspaceCopies(tx, from.workspaceId);
  tx.sql(`INSERT INTO workspace_leftovers (workspace_id, host, deployment, copy_of, created_at)
    VALUES (?, ?, ?, ?, ?)`).run(to.workspaceId, to.host, deployment, from.workspaceId, tx.now);
  return true;
}

export function cancelWorkspaceCopies(tx: Transaction, of: string): void {
  tx.sql("UPDATE workspace_leftovers SET copy_of = NULL WHERE copy_of = ?").run(of);
}

export function moveWorkspace(
  tx: Transaction,
  { from, to, deployment, copied }: ArgsOf<"moveWorkspace">,
): boolean {
  // What is being ended may still write; on a host that is given up it does not matter.
  const states = copied ? `(state IN ${heldStates} OR state = 'destroying')` : `state IN ${heldStates}`;
  const used = tx
    .sql(`SELECT 1 FROM sandboxes WHERE workspace_id = ? AND ${states} LIMIT 1`)
    .get(from.workspaceId);
  if (used !== undefined) return false;
  if (copied) {
    const { changes } = tx
      .sql("DELETE FROM workspace_leftovers WHERE workspace_id = ? AND copy_of = ?")
      .run(to.workspaceId, from.workspaceId);
    if (Number(changes) === 0) return false;
  }
  const { changes } = tx
    .sql(
      `UPDATE workspaces SET workspace_id = ?, host = ?, awaits_files = CASE ? WHEN 1 THEN awaits_files ELSE 1 END, size_bytes = NULL
        WHERE workspace_id = ? AND host = ?`,
    )
    .run(to.workspaceId, to.host, copied ? 1 : 0, from.workspaceId, from.host);
  if (Number(changes) === 0) {
    if (copied) leave(tx, to, deployment);
    return false;
  }
  cancelWorkspaceCopies(tx, from.workspaceId);
  leave(tx, from, deployment);
  return true;
}

export function noteWorkspaceFilled(
  tx: Transaction,
  { orgId, sessionId, workspaceId }: ArgsOf<"noteWorkspaceFilled">,
): boolean {
  const { changes } = tx
    .sql("UPDATE workspaces SET awaits_files = 0 WHERE org_id = ? AND session_id = ? AND workspace_id = ?")
    .run(orgId, sessionId, workspaceId);
  return Number(changes) > 0;
}

export function claimLeftover(tx: Transaction, workspaceId: string): boolean {
  const { changes } = tx
    .sql(
      `UPDATE workspace_leftovers SET copy_of = NULL WHERE workspace_id = ?
        AND NOT EXISTS (SELECT 1 FROM workspaces w WHERE w.workspace_id = workspace_leftovers.workspace_id)`,
    )
    .run(workspaceId);
  return Number(changes) > 0;
}

export function forgetLeftover(tx: Transaction, workspaceId: string): void {
  tx.sql("DELETE FROM workspace_leftovers WHERE workspace_id = ?").run(workspaceId);
}

function leave(
  tx: Transaction,
  { workspaceId, host }: ArgsOf<"moveWorkspace">["from"],
  deployment: string,
): void {
  tx.sql(`INSERT INTO workspace_leftovers (workspace_id, host, deployment, copy_of, created_at) VALUES (?, ?, ?, NULL, ?)
    ON CONFLICT (workspace_id) DO UPDATE SET copy_of = NULL`).run(workspaceId, host, deployment, tx.now);
}
