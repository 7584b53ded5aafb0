import type { createInvitationBody, CreateInvitationReply, Invitation, Page } from "@berth/contract";
import type { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { makeToken } from "../auth/token.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { NewInvitation, PageFilter } from "../store/identity.ts";
import { alreadyCreated } from "./already-created.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { isOperator, permissionsOfRole, requireMayChange, requireMayGive } from "./grants.ts";
import { invitationView } from "./identity-views.ts";
import { memberFor } from "./members.ts";
import { pageView } from "./views.ts";

type Wanted = z.output<typeof createInvitationBody>;
type Whom = Pick<NewInvitation, "kind" | "email" | "name" | "role">;

/**
 * Invites somebody to the organization, or lets a member choose a new password. The token is in this reply and nowhere else. Rejects
 * with `already_member`, `member_not_found`, `unknown_role`, `not_managed_here`, `forbidden`, or `already_created` when the request is
 * a repetition.
 */
export async function createInvitation(
  context: OperationsContext,
  principal: Principal,
  { body, origin }: { readonly body: Wanted; readonly origin: Origin },
): Promise<CreateInvitationReply> {
  requirePermission(principal, "member:write");
  const { orgId } = principal;
  const whom =
    body.kind === "join" ? await toJoin(context, principal, body) : await toReset(context, principal, body);
  const { token, hash } = makeToken("invitation", context.keys.pepper);
  const now = context.clock.now();
  const id = newId("invitation", now);
  const { result, replayed } = await context.store.org(orgId).identity.createInvitation({
    ...whom,
    id,
    tokenHash: hash,
    invitedBy: principal.id,
    expiresAt: now + body.expiresInMs,
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
    audit: auditDraft(principal, origin, {
      action: whom.kind === "join" ? "member.invited" : "member.password_reset_issued",
      target: { type: "invitation", id },
      details: { email: whom.email, role: whom.role },
    }),
  });
  if (replayed) throw alreadyCreated("the invitation", result.id);
  return { ...invitationView(result), token: token.reveal() };
}

/** Newest first; `open`: only those that can be used. */
export async function listInvitations(
  context: OperationsContext,
  principal: Principal,
  filter: PageFilter & { readonly open?: boolean },
): Promise<Page<Invitation>> {
  requirePermission(principal, "member:write");
  const page = await context.store.org(principal.orgId).identity.listInvitations(filter);
  return pageView(page, invitationView);
}

/** Takes an invitation back. Rejects with `invitation_not_found`, also for one that cannot be used any more. */
export async function revokeInvitation(
  context: OperationsContext,
  principal: Principal,
  { invitationId, origin }: { readonly invitationId: string; readonly origin: Origin },
): Promise<void> {
  requirePermission(principal, "member:write");
  const revoked = await context.store.org(principal.orgId).identity.revokeInvitation({
    id: invitationId,
    audit: auditDraft(principal, origin, {
      action: "invitation.revoked",
      target: { type: "invitation", id: invitationId },
    }),
  });
  if (!revoked) throw invitationNotFound(invitationId);
}

export function invitationNotFound(id: string): BerthError {
  return new BerthError("invitation_not_found", `There is no invitation ${id} that can be used.`);
}

async function toJoin(
  context: OperationsContext,
  principal: Principal,
  { email, name, role }: Extract<Wanted, { kind: "join" }>,
): Promise<Whom> {
  requireMayGive(principal, await permissionsOfRole(context, principal.orgId, role), `The role ${role}`);
  return { kind: "join", email, name: name ?? null, role };
}

/** Who resets a password gets into all that the person may do: in other organizations too, so they must have none. */
async function toReset(
  context: OperationsContext,
  principal: Principal,
  { userId }: Extract<Wanted, { kind: "reset" }>,
): Promise<Whom> {
  const { name, email, role } = await memberFor(context, principal, userId);
  await requireMayChange(context, principal, { role, what: "This member" });
  const { identity } = context.store.org(principal.orgId);
  if (email === null || (!isOperator(principal) && !(await identity.isOnlyHere(userId)))) {
    throw new BerthError(
      "not_managed_here",
      email === null
        ? "This account has no email address to log in with: its identity provider looks after it."
        : "Your organization does not manage this account alone: the person changes the password, or the operator of the server resets it.",
    );
  }
  return { kind: "reset", email, name, role };
}
