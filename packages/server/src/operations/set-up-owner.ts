import type { Member, SetUpOwnerBody } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import { Secret } from "../lib/secret.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { memberView } from "./identity-views.ts";
import { tellAccessChanged } from "./tell-access-changed.ts";

/**
 * The first person who owns the server's own organization, with a password to log in with: what the operator begins with. Rejects with
 * `owner_exists` ever after, `email_taken` or `weak_password`.
 */
export async function setUpOwner(
  context: OperationsContext,
  principal: Principal,
  { body, origin }: { readonly body: SetUpOwnerBody; readonly origin: Origin },
): Promise<Member> {
  requirePermission(principal, "server:manage");
  const { identity } = context.store.system;
  const { orgId } = await context.store.system.singleTenant();
  const passwordHash = await context.passwords.hash(new Secret(body.password));
  const userId = newId("user");
  const made = await identity.setUpOwner({
    orgId,
    userId,
    name: body.name,
    email: body.email,
    passwordHash,
    audit: auditDraft(principal, origin, {
      action: "owner.set_up",
      target: { type: "user", id: userId },
      details: { email: body.email },
    }),
  });
  const member = made === null ? null : await context.store.org(orgId).identity.findMember(userId);
  if (member === null) throw ownerExists();
  tellAccessChanged(context, orgId);
  return memberView(member);
}

function ownerExists(): BerthError {
  return new BerthError(
    "owner_exists",
    "The server's own organization has an owner already, who invites others with `berth user invite`.",
  );
}
