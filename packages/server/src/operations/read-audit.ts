import type { AuditEntry, AuditVerdict, Page } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { verifyAudit } from "../auth/verify-audit.ts";
import { escapeControls } from "../telemetry/log-fields.ts";
import type { AuditFilter, AuditRecord } from "../store/audit.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { pageView } from "./views.ts";

type Which = Omit<AuditFilter, "limit" | "after" | "oldestFirst">;

const page = 500;

/** Newest first. */
export async function listAudit(
  context: OperationsContext,
  principal: Principal,
  filter: AuditFilter,
): Promise<Page<AuditEntry>> {
  requirePermission(principal, "audit:read");
  return pageView(await context.store.org(principal.orgId).audit.list(filter), auditView);
}

/**
 * Entries as JSON Lines, oldest first, in pages as they are read. That it was exported is in the log before the first line; entries
 * that come after it are left out.
 */
export async function exportAudit(
  context: OperationsContext,
  principal: Principal,
  { filter, origin }: { readonly filter: Which; readonly origin: Origin },
): Promise<AsyncIterable<string>> {
  requirePermission(principal, "audit:read");
  const { audit } = context.store.org(principal.orgId);
  const told = auditDraft(principal, origin, {
    action: "audit.exported",
    target: { type: "org", id: principal.orgId },
  });
  await audit.append(told);
  async function* lines(): AsyncGenerator<string> {
    const reading = { ...filter, limit: page, oldestFirst: true };
    for (let read = await audit.list(reading); ; read = await audit.list({ ...reading, after: read.next })) {
      const own = read.items.findIndex(({ id }) => id === told.id);
      const wanted = own === -1 ? read.items : read.items.slice(0, own + 1);
      yield wanted.map((entry) => `${escapeControls(JSON.stringify(auditView(entry)))}\n`).join("");
      if (own !== -1 || read.next === null) return;
    }
  }
  return lines();
}

/** Reads the organization's whole audit log and says whether it is what was sealed. */
export async function verifyOrgAudit(
  context: OperationsContext,
  principal: Principal,
): Promise<AuditVerdict> {
  requirePermission(principal, "audit:read");
  const { orgId } = principal;
  const { key, anchors } = context.audit;
  const verdict = await verifyAudit({
    key,
    orgId,
    audit: context.store.org(orgId).audit,
    anchors: await anchors.of(orgId),
  });
  const { count, oldestAt } = verdict.unsealed;
  const oldestAgeMs = oldestAt === null ? null : Math.max(0, context.clock.now() - oldestAt);
  return { ...verdict, unsealed: { count, oldestAgeMs } };
}

function auditView(record: AuditRecord): AuditEntry {
  const { id, at, actor, credential, action, target, outcome, requestId, address, details } = record;
  return {
    id,
    at: new Date(at).toISOString(),
    actor,
    credential,
    action,
    target,
    outcome,
    requestId,
    address,
    details: { ...details },
    erased: record.erased,
    seal: record.seal,
  };
}
