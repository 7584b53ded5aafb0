import type { ArgsOf, ResultOf } from "../../protocol.ts";
import { findSharedWorkspace, findWorkspace } from "../../queries/sandboxes/allocations.ts";
import type { Transaction } from "../../transaction.ts";
import { BerthError } from "../../../../lib/errors.ts";
import { assertSession } from "./assert-session.ts";

export function beatInstance(tx: Transaction, instance: string): void {
  tx.sql(`INSERT INTO sandbox_instances (id, beats, beat_at) VALUES (?, 1, ?)
    ON CONFLICT (id) DO UPDATE SET beats = beats + 1, beat_at = excluded.beat_at`).run(instance, tx.now);
}

export function removeInstance(tx: Transaction, instance: string): void {
  tx.sql("DELETE FROM sandbox_instances WHERE id = ?").run(instance);
}

export function ensureWorkspace(
  tx: Transaction,
  wanted: ArgsOf<"ensureWorkspace">,
): ResultOf<"ensureWorkspace"> {
  const { orgId, sessionId, userId, strategy } = wanted;
  assertSession(tx, wanted);
  const existing = findWorkspace(tx.sql, orgId, sessionId);
  if (existing !== null) return { record: existing, made: false };
  const isShared = strategy === "User-Exclusive";
  const shared = isShared ? findSharedWorkspace(tx.sql, orgId, userId) : null;
  tx.sql(`INSERT INTO workspaces (org_id, session_id, workspace_id, folder, host, strategy, user_id, created_at, last_used_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    orgId,
    sessionId,
    shared?.workspaceId ?? wanted.workspaceId,
    isShared ? wanted.folder : null,
    shared?.host ?? wanted.host,
    strategy,
    userId,
    tx.now,
    tx.now,
  );
  const record = findWorkspace(tx.sql, orgId, sessionId);
  if (record === null) throw new BerthError("internal", "a workspace was written and cannot be read");
  return { record, made: true };
}

export function removeWorkspace(tx: Transaction, { orgId, sessionId }: ArgsOf<"removeWorkspace">): boolean {
  const { changes } = tx
    .sql("DELETE FROM workspaces WHERE org_id = ? AND session_id = ?")
    .run(orgId, sessionId);
  return Number(changes) > 0;
}

export function noteWorkspace(
  tx: Transaction,
  { orgId, sessionId, sizeBytes }: ArgsOf<"noteWorkspace">,
): void {
  tx.sql("UPDATE workspaces SET size_bytes = ?, last_used_at = ? WHERE org_id = ? AND session_id = ?").run(
    sizeBytes,
    tx.now,
    orgId,
    sessionId,
  );
}

/** At most `limit` rows of each kind. Returns how many went. */
export function pruneSandboxes(
  tx: Transaction,
  { sandboxesMs, allocationsMs, limit }: ArgsOf<"pruneSandboxes">,
): number {
  const sandboxes = tx
    .sql(
      `DELETE FROM sandboxes WHERE id IN (SELECT id FROM sandboxes
        WHERE state IN ('destroyed', 'lost', 'failed') AND changed_at <= ? ORDER BY changed_at LIMIT ?)`,
    )
    .run(tx.now - sandboxesMs, limit);
  const allocations = tx
    .sql(
      `DELETE FROM sandbox_allocations WHERE (org_id, id) IN (SELECT org_id, id FROM sandbox_allocations
        WHERE is_active = 0 AND ended_at <= ? ORDER BY ended_at LIMIT ?)`,
    )
    .run(tx.now - allocationsMs, limit);
  return Number(sandboxes.changes) + Number(allocations.changes);
}
