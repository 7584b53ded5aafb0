import type { AuditDraft } from "../../audit.ts";
import type { Transaction } from "../transaction.ts";

/** Writes an entry, unsealed, in the transaction of its change. */
export function insertAudit(tx: Transaction, orgId: string, draft: AuditDraft): void {
  const { id, actor, credential, action, target, outcome, requestId, address, details } = draft;
  tx.sql(`INSERT INTO audit_log (org_id, id, at, actor_type, actor_id, actor_name, credential, action, target_type, target_id,
      outcome, request_id, address, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    orgId,
    id,
    tx.now,
    actor.type,
    actor.id,
    actor.name,
    credential,
    action,
    target?.type ?? null,
    target?.id ?? null,
    outcome,
    requestId,
    address,
    JSON.stringify(details),
  );
}
