import type { Member, Page, UpdateMemberBody } from "@berth/contract";
import { tellAccessChanged } from "./tell-access-changed.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { MemberRecord, PageFilter } from "../store/identity.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { permissionsOfRole, requireMayChange, requireMayGive } from "./grants.ts";
import { memberView } from "./identity-views.ts";
import { pageView } from "./views.ts";

interface OfMember {
  readonly userId: string;
  readonly origin: Origin;
}

/** In the order of ids. */
export async function listMembers(
  context: OperationsContext,
  principal: Principal,
  filter: PageFilter & { readonly email?: string },
): Promise<Page<Member>> {
  requirePermission(principal, "member:read");
  return pageView(await context.store.org(principal.orgId).identity.listMembers(filter), memberView);
}

/** Rejects with `member_not_found`. */
export async function getMember(
  context: OperationsContext,
  principal: Principal,
  { userId }: { readonly userId: string },
): Promise<Member> {
  requirePermission(principal, "member:read");
  return memberView(await memberFor(context, principal, userId));
}

/**
 * Another role, or suspended or active again; open streams follow within seconds. Nobody changes itself or who may do more. Rejects
 * with `member_not_found`, `unknown_role`, `own_membership`, `last_owner`, `operator_account` or `forbidden`.
 */
export async function updateMember(
  context: OperationsContext,
  principal: Principal,
  { userId, body, origin }: OfMember & { readonly body: UpdateMemberBody },
): Promise<Member> {
  requirePermission(principal, "member:write");
  const member = await memberFor(context, principal, userId);
  if (userId === principal.id) throw ownMembership();
  await requireMayChange(context, principal, { role: member.role, what: "This member" });
  const { role, status } = body;
  if (role !== undefined) {
    requireMayGive(principal, await permissionsOfRole(context, principal.orgId, role), `The role ${role}`);
  }
  const updated = await context.store.org(principal.orgId).identity.updateMember({
    userId,
    ...(role !== undefined && { role }),
    ...(status !== undefined && { status }),
    audit: auditDraft(principal, origin, {
      action: actionOf(member, body),
      target: { type: "member", id: userId },
      details: { from: member.role, ...(role !== undefined && { to: role }) },
    }),
  });
  if (updated === null) throw memberNotFound(userId);
  tellAccessChanged(context, principal.orgId);
  return memberView(updated);
}

/**
 * Ends a membership with its keys and logins; what the person made stays. Everybody may leave. Rejects with `member_not_found`,
 * `last_owner`, `operator_account` or `forbidden`.
 */
export async function removeMember(
  context: OperationsContext,
  principal: Principal,
  { userId, origin }: OfMember,
): Promise<void> {
  const leaving = principal.type === "user" && userId === principal.id;
  if (!leaving) requirePermission(principal, "member:write");
  const member = await memberFor(context, principal, userId);
  if (!leaving) await requireMayChange(context, principal, { role: member.role, what: "This member" });
  const removed = await context.store.org(principal.orgId).identity.removeMember({
    userId,
    audit: auditDraft(principal, origin, {
      action: leaving ? "member.left" : "member.removed",
      target: { type: "member", id: userId },
      details: { role: member.role },
    }),
  });
  if (!removed) throw memberNotFound(userId);
  tellAccessChanged(context, principal.orgId);
}

/** Rejects with `member_not_found`. */
export async function memberFor(
  context: Pick<OperationsContext, "store">,
  principal: Principal,
  userId: string,
): Promise<MemberRecord> {
  const member = await context.store.org(principal.orgId).identity.findMember(userId);
  if (member === null) throw memberNotFound(userId);
  return member;
}

export function memberNotFound(id: string): BerthError {
  return new BerthError("member_not_found", `There is no member ${id}.`);
}

function ownMembership(): BerthError {
  return new BerthError(
    "own_membership",
    "Nobody changes its own role or status: ask another administrator of your organization.",
  );
}

function actionOf(member: MemberRecord, { role, status }: UpdateMemberBody): string {
  if (status === "suspended" && member.status === "active") return "member.suspended";
  if (status === "active" && member.status === "suspended") return "member.resumed";
  return role === undefined ? "member.updated" : "member.role_changed";
}
