import type { Quota, SetQuotasBody } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { orgFor } from "./orgs.ts";

/** What the caller's organization may have, and has. */
export async function listQuotas(
  context: OperationsContext,
  principal: Principal,
): Promise<{ readonly items: readonly Quota[] }> {
  requirePermission(principal, "quota:read");
  return { items: await context.store.org(principal.orgId).limits.quotas() };
}

/** For the operator: replaces all quotas that an organization has of its own. Rejects with `org_not_found`. */
export async function setQuotas(
  context: OperationsContext,
  principal: Principal,
  request: { readonly orgId: string; readonly body: SetQuotasBody; readonly origin: Origin },
): Promise<{ readonly items: readonly Quota[] }> {
  requirePermission(principal, "server:manage");
  const { id } = await orgFor(context, principal, request.orgId);
  const { limits } = context.store.org(id);
  const { quotas } = request.body;
  const details = Object.fromEntries(Object.entries(quotas).map(([name, limit]) => [name, limit ?? "none"]));
  await limits.setQuotas({
    quotas,
    audit: auditDraft(principal, request.origin, {
      action: "quota.set",
      target: { type: "org", id },
      details,
    }),
  });
  return { items: await limits.quotas() };
}
