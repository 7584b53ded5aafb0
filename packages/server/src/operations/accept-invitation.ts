import type { AcceptInvitationBody, AcceptInvitationReply } from "@berth/contract";
import { tellAccessChanged } from "./tell-access-changed.ts";
import { hashToken } from "../auth/token.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import { Secret } from "../lib/secret.ts";
import type { Acceptance, AccountRecord, InvitationRecord } from "../store/identity.ts";
import type { OperationsContext, Origin } from "./context.ts";

/**
 * Uses an invitation up, for whoever has its token: makes the account, or lets the one that has the address join once it has shown
 * its password, or sets a new password. Rejects with `invitation_invalid`, `weak_password`, `wrong_password`, `no_password` or `too_many_attempts`.
 */
export async function acceptInvitation(
  context: OperationsContext,
  { body, origin }: { readonly body: AcceptInvitationBody; readonly origin: Origin },
): Promise<AcceptInvitationReply> {
  const { identity } = context.store.system;
  const tokenHash = hashToken(body.token, { purpose: "invitation", pepper: context.keys.pepper });
  const invitation = await identity.findInvitation(tokenHash);
  const org = invitation && (await context.store.org(invitation.orgId).identity.findOrg());
  if (invitation === null || org === null) throw invalid();
  const account = await identity.findAccountByEmail(invitation.email);
  const address = origin.address ?? "";
  const as = await acceptanceOf(context, { body, invitation, account, address });
  const name = as.kind === "new" ? as.name : (account?.name ?? invitation.email);
  const accepted = await identity.acceptInvitation({
    orgId: org.id,
    tokenHash,
    as,
    audit: {
      id: newId("audit"),
      actor: { type: "user", id: as.userId, name },
      credential: `invitation:${invitation.id}`,
      action: invitation.kind === "join" ? "invitation.accepted" : "member.password_reset",
      target: { type: "member", id: as.userId },
      outcome: "done",
      requestId: origin.requestId,
      address: origin.address,
      details: { email: invitation.email, role: invitation.role },
    },
  });
  tellAccessChanged(context, org.id);
  return {
    userId: accepted.id,
    email: invitation.email,
    org: { id: org.id, slug: org.slug, name: org.name },
  };
}

async function acceptanceOf(
  { passwords, loginAttempts, clock }: OperationsContext,
  parts: {
    readonly body: AcceptInvitationBody;
    readonly invitation: InvitationRecord;
    readonly account: AccountRecord | null;
    readonly address: string;
  },
): Promise<Acceptance> {
  const { body, invitation, account, address } = parts;
  const password = new Secret(body.password);
  if (invitation.kind === "reset") {
    if (account === null) throw invalid();
    return { kind: "reset", userId: account.id, passwordHash: await passwords.hash(password) };
  }
  if (account === null) {
    const name = body.name ?? invitation.name ?? invitation.email;
    const userId = newId("user", clock.now());
    return { kind: "new", userId, name, passwordHash: await passwords.hash(password) };
  }
  // An address that is known already: whoever invited must not get at somebody else's account.
  if (account.passwordHash === null) throw noPassword();
  await loginAttempts.take({ email: invitation.email, address });
  if (!(await passwords.verify(password, account.passwordHash))) throw wrongPassword();
  return { kind: "known", userId: account.id };
}

function invalid(): BerthError {
  return new BerthError(
    "invitation_invalid",
    "This invitation cannot be used: it has expired, was used, or was taken back. Ask for a new one.",
  );
}

export function wrongPassword(): BerthError {
  return new BerthError(
    "wrong_password",
    "This is not the password of the account: give the one that you log in with.",
  );
}

export function noPassword(): BerthError {
  return new BerthError(
    "no_password",
    "This account has no password, because an identity provider looks after it: ask an administrator to reset the password first.",
  );
}
