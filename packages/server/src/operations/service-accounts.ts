import type {
  createServiceAccountBody,
  Page,
  ServiceAccount,
  UpdateServiceAccountBody,
} from "@berth/contract";
import type { z } from "zod";
import { tellAccessChanged } from "./tell-access-changed.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { PageFilter, ServiceAccountRecord } from "../store/identity.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { isOperator, permissionsOfRole, requireMayChange, requireMayGive } from "./grants.ts";
import { serviceAccountView } from "./identity-views.ts";
import { pageView } from "./views.ts";

interface OfAccount {
  readonly serviceAccountId: string;
  readonly origin: Origin;
}

/** Rejects with `service_account_name_taken`, `certificate_taken`, `unknown_role` or `forbidden`. */
export async function createServiceAccount(
  context: OperationsContext,
  principal: Principal,
  { body, origin }: { readonly body: z.output<typeof createServiceAccountBody>; readonly origin: Origin },
): Promise<{ readonly account: ServiceAccount; readonly replayed: boolean }> {
  const { name, role, certificates } = body;
  requirePermission(principal, "service-account:write");
  requireMayGive(principal, await permissionsOfRole(context, principal.orgId, role), `The role ${role}`);
  if (certificates.length > 0) requireMayCertify(principal);
  const id = newId("serviceAccount", context.clock.now());
  const { result, replayed } = await context.store.org(principal.orgId).identity.createServiceAccount({
    id,
    name,
    role,
    certificates,
    createdBy: principal.id,
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
    audit: auditDraft(principal, origin, {
      action: "service_account.created",
      target: { type: "service_account", id },
      details: { name, role, certificates: namesOf(certificates) },
    }),
  });
  return { account: serviceAccountView(result), replayed };
}

/** In the order of ids. */
export async function listServiceAccounts(
  context: OperationsContext,
  principal: Principal,
  filter: PageFilter,
): Promise<Page<ServiceAccount>> {
  requirePermission(principal, "service-account:read");
  const page = await context.store.org(principal.orgId).identity.listServiceAccounts(filter);
  return pageView(page, serviceAccountView);
}

/** Rejects with `service_account_not_found`. */
export async function getServiceAccount(
  context: OperationsContext,
  principal: Principal,
  { serviceAccountId }: { readonly serviceAccountId: string },
): Promise<ServiceAccount> {
  requirePermission(principal, "service-account:read");
  return serviceAccountView(await serviceAccountFor(context, principal, serviceAccountId));
}

/** Rejects with `service_account_not_found`, `own_membership` and as creating does. */
export async function updateServiceAccount(
  context: OperationsContext,
  principal: Principal,
  { serviceAccountId: id, body, origin }: OfAccount & { readonly body: UpdateServiceAccountBody },
): Promise<ServiceAccount> {
  requirePermission(principal, "service-account:write");
  const account = await serviceAccountFor(context, principal, id);
  if (id === principal.id) throw ownAccount();
  await requireMayChange(context, principal, { role: account.role, what: "This service account" });
  const { name, role, status, certificates } = body;
  if (certificates !== undefined) requireMayCertify(principal);
  if (role !== undefined) {
    requireMayGive(principal, await permissionsOfRole(context, principal.orgId, role), `The role ${role}`);
  }
  const change = {
    ...(name !== undefined && { name }),
    ...(role !== undefined && { role }),
    ...(status !== undefined && { status }),
  };
  const updated = await context.store.org(principal.orgId).identity.updateServiceAccount({
    id,
    ...change,
    ...(certificates !== undefined && { certificates }),
    audit: auditDraft(principal, origin, {
      action: "service_account.updated",
      target: { type: "service_account", id },
      details: { ...change, ...(certificates !== undefined && { certificates: namesOf(certificates) }) },
    }),
  });
  if (updated === null) throw serviceAccountNotFound(id);
  tellAccessChanged(context, principal.orgId);
  return serviceAccountView(updated);
}

/** Its keys end with it; its sessions stay. Rejects with `service_account_not_found` or `forbidden`. */
export async function deleteServiceAccount(
  context: OperationsContext,
  principal: Principal,
  { serviceAccountId: id, origin }: OfAccount,
): Promise<void> {
  requirePermission(principal, "service-account:write");
  const { role, name } = await serviceAccountFor(context, principal, id);
  await requireMayChange(context, principal, { role, what: "This service account" });
  const deleted = await context.store.org(principal.orgId).identity.deleteServiceAccount({
    id,
    audit: auditDraft(principal, origin, {
      action: "service_account.deleted",
      target: { type: "service_account", id },
      details: { name },
    }),
  });
  if (!deleted) throw serviceAccountNotFound(id);
  tellAccessChanged(context, principal.orgId);
}

export function serviceAccountNotFound(id: string): BerthError {
  return new BerthError("service_account_not_found", `There is no service account ${id}.`);
}

async function serviceAccountFor(
  context: OperationsContext,
  principal: Principal,
  id: string,
): Promise<ServiceAccountRecord> {
  const account = await context.store.org(principal.orgId).identity.findServiceAccount(id);
  if (account === null) throw serviceAccountNotFound(id);
  return account;
}

/** All organizations share one authority for client certificates: who may name any of them could take another's. */
function requireMayCertify(principal: Principal): void {
  if (isOperator(principal)) return;
  throw new BerthError(
    "forbidden",
    "Only the operator of the server says which certificates a service account has: ask them for it.",
  );
}

function ownAccount(): BerthError {
  return new BerthError(
    "own_membership",
    "No service account changes itself: ask an administrator of your organization.",
  );
}

const namesOf = (certificates: readonly { readonly kind: string; readonly value: string }[]) =>
  certificates.map(({ kind, value }) => `${kind} ${value}`).join(" ");
