import type { CreateErasureBody, Erasure, Page } from "@berth/contract";
import { hintAuth } from "../auth/auth-hints.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { ErasureRecord } from "../store/data.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";

/**
 * Begins to erase a user or a whole organization: from now on they get nowhere, the rest is done in the background. `confirm` is the name of
 * who is meant. Rejects with `forbidden`, `member_not_found`, `org_not_found`, `confirm_mismatch`, `erasure_running`, `last_owner` or `home_org`.
 */
export async function createErasure(
  context: OperationsContext,
  principal: Principal,
  { body, origin }: { readonly body: CreateErasureBody; readonly origin: Origin },
): Promise<{ readonly erasure: Erasure; readonly replayed: boolean }> {
  requirePermission(principal, "data:erase");
  const { orgId } = principal;
  const { scope, id: target } = body;
  const name = await nameOf(context, principal, body);
  if (body.confirm.toLowerCase() !== name.toLowerCase()) throw confirmMismatch(scope);
  const id = newId("receipt", context.clock.now());
  const toldTo = scope === "org" ? (await context.store.system.singleTenant()).orgId : orgId;
  const { result, replayed } = await context.store.org(orgId).data.createErasure({
    record: { id, scope, target, requestedBy: principal.id, toldTo },
    audit: auditDraft(principal, origin, {
      action: "erasure.requested",
      target: { type: scope, id: target },
      details: { receipt: id },
    }),
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
  });
  hintAuth(context.bus, orgId);
  return { erasure: erasureView(result), replayed };
}

/** What has to be said to confirm. */
async function nameOf(
  context: OperationsContext,
  { orgId }: Principal,
  { scope, id }: CreateErasureBody,
): Promise<string> {
  const { identity } = context.store.org(orgId);
  if (scope === "org") {
    const org = id === orgId ? await identity.findOrg() : null;
    if (org === null) throw new BerthError("org_not_found", `There is no organization ${id}.`);
    return org.slug;
  }
  const member = await identity.findMember(id);
  if (member !== null) return member.email ?? member.name;
  const account = await identity.findServiceAccount(id);
  if (account === null) throw new BerthError("member_not_found", `There is no member ${id}.`);
  return account.name;
}

/** Newest first: the organization's; for the operator at home those of the whole server. */
export async function listErasures(
  context: OperationsContext,
  principal: Principal,
  filter: { readonly limit: number; readonly after?: string },
): Promise<Page<Erasure>> {
  requirePermission(principal, "data:erase");
  const { items, next } = await (seesAll(principal)
    ? context.store.system.data.listErasures(filter)
    : context.store.org(principal.orgId).data.listErasures(filter));
  return { items: items.map(erasureView), next };
}

/** How far it is; in the end the receipt. Rejects with `erasure_not_found`. */
export async function getErasure(
  context: OperationsContext,
  principal: Principal,
  { erasureId }: { readonly erasureId: string },
): Promise<Erasure> {
  requirePermission(principal, "data:erase");
  const found = await (seesAll(principal)
    ? context.store.system.data.findErasure(erasureId)
    : context.store.org(principal.orgId).data.findErasure(erasureId));
  if (found === null) throw erasureNotFound(erasureId);
  return erasureView(found);
}

/** An organization that is gone has nobody left who could ask for its receipt. */
function seesAll(principal: Principal): boolean {
  return principal.permissions.has("server:manage");
}

export function erasureNotFound(id: string): BerthError {
  return new BerthError("erasure_not_found", `There is no erasure ${id}.`);
}

function confirmMismatch(scope: "org" | "user"): BerthError {
  const what =
    scope === "org"
      ? "the organization's slug"
      : "the user's email, or the name of a user or service account that has none";
  return new BerthError(
    "confirm_mismatch",
    `Nothing was erased: confirm has to be ${what}. There is no way back.`,
  );
}

const notes = {
  user: "Backups hold what was erased until they are deleted. What the user wrote in sessions of others stays theirs, usage figures and audit entries stay under an id that names nobody.",
  org: "Backups hold what was erased until they are deleted.",
} as const;

function erasureView(record: ErasureRecord): Erasure {
  const { toldTo: _, createdAt, finishedAt, counts, ...rest } = record;
  return {
    ...rest,
    counts: { ...counts },
    note: notes[record.scope],
    createdAt: new Date(createdAt).toISOString(),
    finishedAt: finishedAt === null ? null : new Date(finishedAt).toISOString(),
  };
}
