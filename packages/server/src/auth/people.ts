import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { AuditDraft } from "../store/audit.ts";
import type { AccountRecord, Standing, SystemIdentity } from "../store/identity.ts";

/** What an identity provider or an authenticating proxy says of a person, after it has proved itself. */
export interface Asserted {
  /** A provider's tokens and its logins name the same people, so both are `oidc`. */
  readonly source: "oidc" | "sso";
  /** Empty for a proxy. */
  readonly issuer: string;
  readonly subject: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly orgId: string;
  /** Null: it says nothing about roles, and who is a member keeps its own. */
  readonly role: string | null;
  readonly requestId: string | null;
  readonly address: string | null;
}

/** What may be done with somebody who is not known yet. */
export interface Provisioning {
  /** Makes accounts and memberships for whom the provider names, and keeps their roles as it says. */
  readonly provision: boolean;
  /** Of a new member of whose role nothing is said. */
  readonly defaultRole: string;
  /**
   * Whether the provider's verified addresses are believed: an account that has such an address is that person, with all its
   * organizations. So only for providers that may speak for each of them.
   */
  readonly trustEmail: boolean;
}

/** The person's account; null when it is not known and the rules make none. */
export async function accountOf(
  identity: SystemIdentity,
  asserted: Asserted,
  rules: Provisioning,
): Promise<AccountRecord | null> {
  const { source, issuer, subject } = asserted;
  const known = await identity.findAccountByIdentity({ source, issuer, subject });
  if (known !== null) return known;
  const place = rules.provision
    ? { orgId: asserted.orgId, role: asserted.role ?? rules.defaultRole, updateRole: asserted.role !== null }
    : await placeByEmail(identity, asserted, rules);
  if (place === null) return null;
  return identity.provision({
    ...place,
    userId: newId("user"),
    name: asserted.name ?? asserted.email ?? subject,
    email: asserted.email?.toLowerCase() ?? null,
    emailVerified: asserted.emailVerified && rules.trustEmail,
    identity: { source, issuer, subject },
    audit: draftOf(asserted),
  });
}

/** Where somebody is a member already who has the address that the provider vouches for: there the provider's name for it is kept. */
async function placeByEmail(
  identity: SystemIdentity,
  { email, emailVerified }: Asserted,
  { trustEmail }: Provisioning,
): Promise<{ readonly orgId: string; readonly role: string; readonly updateRole: false } | null> {
  const found =
    trustEmail && emailVerified && email !== null
      ? await identity.findAccountByEmail(email.toLowerCase())
      : null;
  const [first] = found === null ? [] : await identity.listMemberships(found.id);
  return first === undefined ? null : { orgId: first.org.id, role: first.role, updateRole: false };
}

/** Where the person stands in the organization that is asserted, after provisioning. Null for who is not known there. */
export async function standingOf(
  identity: SystemIdentity,
  asserted: Asserted,
  rules: Provisioning,
): Promise<Standing | null> {
  const account = await accountOf(identity, asserted, rules);
  if (account === null) return null;
  const who = { orgId: asserted.orgId, type: "user", id: account.id } as const;
  const standing = await identity.findStanding(who);
  const asTold = standing !== null && (asserted.role === null || asserted.role === standing.role);
  if (asTold || !rules.provision) return standing;
  await provisionMember(identity, { asserted, account, rules });
  return identity.findStanding(who);
}

async function provisionMember(
  identity: SystemIdentity,
  { asserted, account, rules }: { asserted: Asserted; account: AccountRecord; rules: Provisioning },
): Promise<void> {
  try {
    await identity.provision({
      orgId: asserted.orgId,
      userId: account.id,
      name: account.name,
      email: account.email,
      emailVerified: account.emailVerified,
      identity: { source: asserted.source, issuer: asserted.issuer, subject: asserted.subject },
      role: asserted.role ?? rules.defaultRole,
      updateRole: asserted.role !== null,
      audit: draftOf(asserted),
    });
  } catch (error) {
    // The provider cannot take an organization's last owner away: it stays one until there is another.
    if (!(error instanceof BerthError) || error.code !== "last_owner") throw error;
  }
}

function draftOf({ source, issuer, subject, requestId, address }: Asserted): AuditDraft {
  return {
    id: newId("audit"),
    actor: { type: "system", id: source, name: issuer === "" ? "authenticating proxy" : issuer },
    credential: null,
    action: "member.provisioned",
    target: { type: "identity", id: subject },
    outcome: "done",
    requestId,
    address,
    details: {},
  };
}
