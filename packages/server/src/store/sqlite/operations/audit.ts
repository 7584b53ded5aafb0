import { escapeControls } from "../../../telemetry/log-fields.ts";
import type { AuditDraft } from "../../audit.ts";
import type { Transaction } from "../transaction.ts";

/** Characters of each text, and members of the details: no caller fills the log with one request. */
const most = { id: 200, name: 200, address: 64, detail: 1_000, details: 40 };

/** Writes an entry, unsealed, in the transaction of its change. Time does not go back in it when the clock does. */
export function insertAudit(tx: Transaction, orgId: string, draft: AuditDraft): void {
  const { id, actor, credential, action, target, outcome, requestId, address, details } = draft;
  const last = tx
    .sql<{ at: number }>("SELECT at FROM audit_log WHERE org_id = ? ORDER BY at DESC LIMIT 1")
    .get(orgId);
  tx.sql(`INSERT INTO audit_log (org_id, id, at, actor_type, actor_id, actor_name, credential, action, target_type, target_id,
      outcome, request_id, address, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    orgId,
    id,
    Math.max(tx.now, last?.at ?? 0),
    actor.type,
    tidy(actor.id, most.id),
    tidy(actor.name, most.name),
    tidied(credential, most.id),
    tidy(action, most.id),
    tidied(target?.type, most.id),
    tidied(target?.id, most.id),
    outcome,
    tidied(requestId, most.id),
    tidied(address, most.address),
    JSON.stringify(tidyDetails(details)),
  );
}

/** Cut to a length, and nothing in it that moves a cursor, forges a line or cannot be seen. */
function tidy(text: string, length: number): string {
  return escapeControls(text.length > length ? `${text.slice(0, length)}…` : text).toWellFormed();
}

function tidied(text: string | null | undefined, length: number): string | null {
  return text === null || text === undefined ? null : tidy(text, length);
}

function tidyDetails(details: AuditDraft["details"]): AuditDraft["details"] {
  return Object.fromEntries(
    Object.entries(details)
      .slice(0, most.details)
      .map(([name, value]) => [
        tidy(name, most.name),
        typeof value === "string" ? tidy(value, most.detail) : value,
      ]),
  );
}
