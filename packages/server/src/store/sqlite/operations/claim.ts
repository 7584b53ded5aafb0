import type { ClaimOutcome } from "../../store.ts";
import type { ArgsOf, HeldSession, SessionRef } from "../protocol.ts";
import { findOrgRecord } from "../queries/identity/orgs.ts";
import { findSessionRow, sessionRecord } from "../queries/session-row.ts";
import type { Transaction } from "../transaction.ts";
import { settleLost, settleLostOf } from "./budgets/settle.ts";

/** One conditional statement; what it refused is read afterwards to say why. */
export function claim(tx: Transaction, args: ArgsOf<"claim">): ClaimOutcome {
  const { orgId, sessionId, workerId, leaseMs, knownEventVersion } = args;
  const { changes } = tx
    .sql(
      `UPDATE sessions SET holder = ?3, epoch = epoch + 1, claims = claims + 1
        WHERE org_id = ?1 AND id = ?2 AND status <> 'quarantined' AND max_event_version <= ?4
          AND NOT EXISTS (SELECT 1 FROM orgs o WHERE o.id = ?1 AND o.status = 'suspended')
          AND (holder IS NULL OR holder = ?3
            OR NOT EXISTS (SELECT 1 FROM workers w WHERE w.id = holder AND w.heartbeat_at > ?5))`,
    )
    .run(orgId, sessionId, workerId, knownEventVersion, tx.steady - leaseMs);
  const row = findSessionRow(tx.sql, orgId, sessionId);
  if (row === undefined) return { ok: false, reason: "not_found" };
  const { claims, maxEventVersion } = tx
    .sql<{ claims: number; maxEventVersion: number }>(
      "SELECT claims, max_event_version AS maxEventVersion FROM sessions WHERE no = ?",
    )
    .get(row.no) ?? { claims: 0, maxEventVersion: 0 };
  if (Number(changes) === 1) {
    settleLost(tx, { orgId, sessionId, no: row.no, epoch: row.epoch });
    return { ok: true, epoch: row.epoch, claimsWithoutEvent: claims, record: sessionRecord(row) };
  }
  if (row.status === "quarantined") return { ok: false, reason: "quarantined" };
  if (findOrgRecord(tx.sql, orgId)?.status === "suspended") return { ok: false, reason: "suspended" };
  if (maxEventVersion > knownEventVersion) return { ok: false, reason: "newer_schema" };
  return { ok: false, reason: "held", holder: row.holder ?? "" };
}

/** An organization is suspended: whoever holds a session of it cannot write any more, and lets go of it. */
export function fenceOrg(tx: Transaction, orgId: string): void {
  tx.sql("UPDATE sessions SET holder = NULL WHERE org_id = ? AND holder IS NOT NULL").run(orgId);
}

export function release(tx: Transaction, args: ArgsOf<"release">): boolean {
  const { orgId, sessionId, epoch, withInputs = false } = args;
  const { changes } = tx
    .sql(
      `UPDATE sessions SET holder = NULL, claims = 0
        WHERE org_id = ?1 AND id = ?2 AND epoch = ?3 AND holder IS NOT NULL
          AND (?4 = 1 OR NOT EXISTS (SELECT 1 FROM mailbox m WHERE m.org_id = ?1 AND m.session_no = sessions.no))`,
    )
    .run(orgId, sessionId, epoch, withInputs ? 1 : 0);
  return Number(changes) === 1;
}

export function quarantine(tx: Transaction, { orgId, sessionId, epoch }: HeldSession): void {
  const { changes } = tx
    .sql(
      `UPDATE sessions SET status_before_quarantine = status, status = 'quarantined', archived = 0, holder = NULL
      WHERE org_id = ? AND id = ? AND epoch = ? AND holder IS NOT NULL`,
    )
    .run(orgId, sessionId, epoch);
  // Nobody claims it until it is released, and its calls must not hold a budget for so long.
  if (Number(changes) === 1) settleLostOf(tx, { orgId, sessionId, epoch });
}

export function liftQuarantine(tx: Transaction, { orgId, sessionId }: SessionRef): boolean {
  const { changes } = tx
    .sql(
      `UPDATE sessions SET status = coalesce(status_before_quarantine, 'idle'), status_before_quarantine = NULL,
          archived = coalesce(status_before_quarantine = 'archived', 0), claims = 0
        WHERE org_id = ? AND id = ? AND status = 'quarantined'`,
    )
    .run(orgId, sessionId);
  return Number(changes) === 1;
}
