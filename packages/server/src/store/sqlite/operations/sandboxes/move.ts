import type { SandboxMove, SandboxRecord } from "../../../sandboxes.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findSandbox } from "../../queries/sandboxes/sandboxes.ts";
import type { Transaction } from "../../transaction.ts";
import { assertSession } from "./assert-session.ts";

const ends: readonly string[] = ["destroying", "destroyed", "lost", "failed"];
const ended: readonly string[] = ["destroyed", "lost", "failed"];

/** One UPDATE on id, incarnation and state: whoever comes second changes nothing. */
export function moveSandbox(tx: Transaction, move: SandboxMove): SandboxRecord | null {
  const { id, incarnation, from, to, reason } = move;
  const guestBefore = move.unlessGuestWithinMs === undefined ? null : tx.now - move.unlessGuestWithinMs;
  const blank = ended.includes(to) ? ", owner_org = NULL, owner_user = NULL, session = NULL" : "";
  const { changes } = tx
    .sql(
      `UPDATE sandboxes SET changed_at = CASE state WHEN ?3 THEN changed_at ELSE ?4 END, state = ?3, host = coalesce(?5, host),
          url = coalesce(?6, url), destroy_reason = coalesce(destroy_reason, ?7), owner_instance = coalesce(?8, owner_instance),
          attempts = attempts + (?9 IS NOT NULL), next_try_at = ?9 ${blank}
        WHERE id = ?1 AND incarnation = ?2 AND state IN (${from.map((state) => `'${state}'`).join(", ")})
          AND (?10 IS NULL OR owner_instance = ?10) AND (?11 IS NULL OR guest_at IS NULL OR guest_at <= ?11)`,
    )
    .run(
      id,
      incarnation,
      to,
      tx.now,
      move.host ?? null,
      move.url ?? null,
      reason ?? null,
      move.newOwner ?? null,
      move.retryInMs === undefined ? null : tx.now + move.retryInMs,
      move.ownedBy ?? null,
      guestBefore,
    );
  if (Number(changes) === 0) return null;
  if (ends.includes(to)) endAllocations(tx, id, reason ?? to);
  return findSandbox(tx.sql, id);
}

function endAllocations(tx: Transaction, sandboxId: string, reason: string): void {
  tx.sql(`UPDATE sandbox_allocations SET is_active = 0, ended_at = ?, end_reason = ?
    WHERE sandbox_id = ? AND is_active = 1`).run(tx.now, reason, sandboxId);
}

export function activateSandbox(tx: Transaction, change: ArgsOf<"activateSandbox">): SandboxRecord | null {
  const { id, incarnation, owner, url } = change;
  assertSession(tx, owner);
  const { changes } = tx
    .sql(
      `UPDATE sandboxes SET state = 'active', changed_at = ?, claimed_at = coalesce(claimed_at, ?), last_used_at = ?, expires_at = ?,
          url = ?, policy = ?, session = ?
        WHERE id = ? AND incarnation = ? AND state IN ('creating', 'claimed') AND owner_org = ?`,
    )
    .run(
      tx.now,
      tx.now,
      tx.now,
      tx.now + change.maxLifeMs,
      url,
      JSON.stringify(change.policy),
      owner.sessionId,
      id,
      incarnation,
      owner.orgId,
    );
  if (Number(changes) === 0) return null;
  allocate(tx, { ...change, sandboxId: id, url });
  return findSandbox(tx.sql, id);
}

export function joinSandbox(tx: Transaction, change: ArgsOf<"joinSandbox">): boolean {
  const { id, incarnation, owner } = change;
  assertSession(tx, owner);
  const record = findSandbox(tx.sql, id);
  if (record?.incarnation !== incarnation || record.state !== "active") return false;
  if (record.orgId !== owner.orgId || record.userId !== owner.userId) return false;
  const has = tx
    .sql(
      "SELECT 1 FROM sandbox_allocations WHERE org_id = ? AND session_id = ? AND sandbox_id = ? AND is_active = 1",
    )
    .get(owner.orgId, owner.sessionId, id);
  if (has !== undefined) return false;
  allocate(tx, { ...change, sandboxId: id, url: record.url ?? "" });
  return true;
}

type Allocate = Pick<ArgsOf<"joinSandbox">, "owner" | "allocationId"> & {
  readonly sandboxId: string;
  readonly url: string;
};

function allocate(tx: Transaction, { owner, allocationId, sandboxId, url }: Allocate): void {
  const { orgId, userId, sessionId, strategy } = owner;
  tx.sql(`UPDATE sandbox_allocations SET is_active = 0, ended_at = ?, end_reason = 'replaced'
    WHERE org_id = ? AND session_id = ? AND is_active = 1`).run(tx.now, orgId, sessionId);
  tx.sql(`INSERT INTO sandbox_allocations (org_id, id, sandbox_id, sandbox_url, user_id, session_id, strategy, created_at,
      last_used_at, is_active) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`).run(
    orgId,
    allocationId,
    sandboxId,
    url,
    userId,
    sessionId,
    strategy,
    tx.now,
    tx.now,
  );
}

export function leaveSandbox(tx: Transaction, { orgId, sessionId, reason }: ArgsOf<"leaveSandbox">): boolean {
  const { changes } = tx
    .sql(
      `UPDATE sandbox_allocations SET is_active = 0, ended_at = ?, end_reason = ?
        WHERE org_id = ? AND session_id = ? AND is_active = 1`,
    )
    .run(tx.now, reason, orgId, sessionId);
  return Number(changes) > 0;
}

export function noteSandboxPolicy(
  tx: Transaction,
  { id, incarnation, policy }: ArgsOf<"noteSandboxPolicy">,
): boolean {
  const { changes } = tx
    .sql("UPDATE sandboxes SET policy = ? WHERE id = ? AND incarnation = ? AND state = 'active'")
    .run(JSON.stringify(policy), id, incarnation);
  return Number(changes) > 0;
}

export function touchSandboxes(tx: Transaction, uses: ArgsOf<"touchSandboxes">): readonly string[] {
  const gone: string[] = [];
  for (const { id, incarnation, sessionIds, agoMs, guest } of uses) {
    const at = tx.now - agoMs;
    const { changes } = tx
      .sql(
        `UPDATE sandboxes SET last_used_at = max(coalesce(last_used_at, 0), ?), guest_at = CASE ? WHEN 1 THEN ? ELSE guest_at END
          WHERE id = ? AND incarnation = ? AND state = 'active'`,
      )
      .run(at, guest ? 1 : 0, tx.now, id, incarnation);
    if (Number(changes) === 0) gone.push(id);
    for (const sessionId of sessionIds) {
      tx.sql(`UPDATE sandbox_allocations SET last_used_at = max(last_used_at, ?)
        WHERE sandbox_id = ? AND session_id = ? AND is_active = 1`).run(at, id, sessionId);
    }
  }
  return gone;
}
