import {
  type CreateInvitationReply,
  type CreateOrgBody,
  operatorSettings,
  type Org,
  type Page,
  type UpdateOrgBody,
} from "@berth/contract";
import { tellAccessChanged } from "./tell-access-changed.ts";
import { orgNotFound } from "../auth/org-choice.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { makeToken } from "../auth/token.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { NewInvitation, OrgRecord, PageFilter } from "../store/identity.ts";
import { alreadyCreated } from "./already-created.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { isOperator } from "./grants.ts";
import { orgView } from "./identity-views.ts";
import { pageView, timeText } from "./views.ts";

const invitationMs = 7 * 86_400_000;

/**
 * For the operator: an organization, and an invitation for its first owner when one is named. Rejects with `org_slug_taken`, or with
 * `already_created` when a request that invited somebody is repeated.
 */
export async function createOrg(
  context: OperationsContext,
  principal: Principal,
  { body, origin }: { readonly body: CreateOrgBody; readonly origin: Origin },
): Promise<{
  readonly org: Org;
  readonly invitation: CreateInvitationReply | null;
  readonly replayed: boolean;
}> {
  requirePermission(principal, "server:manage");
  const now = context.clock.now();
  const orgId = newId("org", now);
  const { token, hash } = makeToken("invitation", context.keys.pepper);
  const owner: NewInvitation | null =
    body.owner === undefined
      ? null
      : {
          id: newId("invitation", now),
          kind: "join",
          email: body.owner.email,
          name: body.owner.name ?? null,
          role: "owner",
          tokenHash: hash,
          invitedBy: principal.id,
          expiresAt: now + invitationMs,
        };
  const { result, replayed } = await context.store.system.identity.createOrg({
    orgId,
    caller: principal.orgId,
    slug: body.slug,
    name: body.name ?? body.slug,
    ...(owner !== null && { owner }),
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
    audit: auditDraft(principal, origin, {
      action: "org.created",
      target: { type: "org", id: orgId },
      details: { slug: body.slug, owner: owner?.email ?? null },
    }),
  });
  if (replayed && owner !== null) throw alreadyCreated("the organization", result.id);
  if (owner === null) return { org: orgView(result), invitation: null, replayed };
  const { tokenHash: _, expiresAt, ...shown } = owner;
  const times = { createdAt: timeText(result.createdAt), expiresAt: timeText(expiresAt) };
  const invitation = { ...shown, ...times, acceptedAt: null, revokedAt: null, token: token.reveal() };
  return { org: orgView(result), invitation, replayed };
}

/** For the operator: every organization, in the order of ids. */
export async function listOrgs(
  context: OperationsContext,
  principal: Principal,
  filter: PageFilter,
): Promise<Page<Org>> {
  requirePermission(principal, "server:manage");
  return pageView(await context.store.system.identity.listOrgs(filter), orgView);
}

/** One's own organization, or any for the operator; by id or slug. Rejects with `org_not_found`. */
export async function getOrg(
  context: OperationsContext,
  principal: Principal,
  { orgId }: { readonly orgId: string },
): Promise<Org> {
  requirePermission(principal, "org:read");
  return orgView(await orgFor(context, principal, orgId));
}

/**
 * Name and settings for who has org:write there; the slug, suspending, resuming and the operator's settings for the operator. Rejects with
 * `org_not_found`, `org_slug_taken`, `org_erasing`, `home_org` or `forbidden`.
 */
export async function updateOrg(
  context: OperationsContext,
  principal: Principal,
  request: { readonly orgId: string; readonly body: UpdateOrgBody; readonly origin: Origin },
): Promise<Org> {
  const { body, origin } = request;
  requirePermission(principal, "org:write");
  const { id, status } = await orgFor(context, principal, request.orgId);
  const { settings = {}, ...rest } = body;
  const changed = Object.keys(settings);
  // Identity providers and proxies place people by the slug: who could take any name would be sent another's people.
  const named = body.slug !== undefined || body.status !== undefined;
  const reserved = named || changed.some((name) => operatorSettings.includes(name));
  if (reserved && !isOperator(principal)) {
    throw new BerthError("forbidden", "Only the operator of the server changes this: ask them for it.");
  }
  const updated = await context.store.org(id).identity.updateOrg({
    ...defined(rest),
    ...(changed.length > 0 && { settings }),
    audit: auditDraft(principal, origin, {
      action: actionOf(status, body.status),
      target: { type: "org", id },
      details: { ...defined(rest), ...(changed.length > 0 && { settings: JSON.stringify(settings) }) },
    }),
  });
  if (updated === null) throw orgNotFound(request.orgId);
  tellAccessChanged(context, id);
  return orgView(updated);
}

/** An organization that the principal may reach. Rejects with `org_not_found`, of another's as of one that there is not. */
export async function orgFor(
  context: OperationsContext,
  principal: Principal,
  idOrSlug: string,
): Promise<OrgRecord> {
  const { store } = context;
  const found = idOrSlug.includes("_")
    ? await store.org(idOrSlug).identity.findOrg()
    : await store.system.identity.findOrgBySlug(idOrSlug);
  if (found === null || (found.id !== principal.orgId && !isOperator(principal))) throw orgNotFound(idOrSlug);
  return found;
}

function actionOf(before: OrgRecord["status"], after: "active" | "suspended" | undefined): string {
  if (after === undefined || after === before) return "org.updated";
  return after === "suspended" ? "org.suspended" : "org.resumed";
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}
