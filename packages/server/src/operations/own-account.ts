import type { ChangePasswordBody, Page, User, UserLogin } from "@berth/contract";
import { tellAccessChanged } from "./tell-access-changed.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";
import type { AccountRecord, LoginRecord } from "../store/identity.ts";
import { noPassword, wrongPassword } from "./accept-invitation.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { isKey } from "./key-grant.ts";
import { timeOrNull, timeText } from "./views.ts";

/** The caller's own account, in all its organizations; for a key, in the key's. Rejects with `not_a_person`. */
export async function getOwnAccount(context: OperationsContext, principal: Principal): Promise<User> {
  const account = await accountOf(context, principal);
  const view = await accountView(context, account);
  if (!isKey(principal)) return view;
  const memberships = view.memberships.filter(({ org }) => org.id === principal.orgId);
  return { ...view, lastLoginAt: null, memberships };
}

/** Rejects with `not_a_person`, or `forbidden` for a key. */
export async function updateOwnAccount(
  context: OperationsContext,
  principal: Principal,
  { name, origin }: { readonly name: string; readonly origin: Origin },
): Promise<User> {
  const { id } = await accountOf(context, principal);
  requirePerson(principal);
  const updated = await context.store.system.identity.updateAccount({
    orgId: principal.orgId,
    userId: id,
    name,
    audit: auditDraft(principal, origin, {
      action: "user.renamed",
      target: { type: "user", id },
      details: { name },
    }),
  });
  if (updated === null) throw notAPerson();
  tellAccessChanged(context, null);
  return accountView(context, updated);
}

/** Ends every other login. Rejects with `not_a_person`, `no_password`, `wrong_password`, `weak_password` or `too_many_attempts`. */
export async function changeOwnPassword(
  context: OperationsContext,
  principal: Principal,
  { body, origin }: { readonly body: ChangePasswordBody; readonly origin: Origin },
): Promise<void> {
  const { id, email, passwordHash } = await accountOf(context, principal);
  if (passwordHash === null) throw noPassword();
  await context.loginAttempts.take({ email: email ?? id, address: origin.address ?? "" });
  if (!(await context.passwords.verify(new Secret(body.current), passwordHash))) throw wrongPassword();
  await context.store.system.identity.setPassword({
    orgId: principal.orgId,
    userId: id,
    passwordHash: await context.passwords.hash(new Secret(body.new)),
    keepLogin: loginIdOf(principal),
    audit: auditDraft(principal, origin, {
      action: "user.password_changed",
      target: { type: "user", id },
    }),
  });
  tellAccessChanged(context, null);
}

/** Where one is logged in, newest first. Rejects with `not_a_person`, or `forbidden` for a key. */
export async function listOwnLogins(
  context: OperationsContext,
  principal: Principal,
): Promise<Page<UserLogin>> {
  const { id } = await accountOf(context, principal);
  requirePerson(principal);
  const logins = await context.store.system.identity.listLogins(id);
  return { items: logins.map((login) => loginView(login, principal)), next: null };
}

/** Ends one login, or all but the one that asks. Rejects with `not_a_person` or `login_not_found`, or `forbidden` for a key. */
export async function endOwnLogins(
  context: OperationsContext,
  principal: Principal,
  { loginId, origin }: { readonly loginId: string | null; readonly origin: Origin },
): Promise<void> {
  const { id: userId } = await accountOf(context, principal);
  requirePerson(principal);
  const current = loginIdOf(principal);
  const others = { userId, ...(current !== null && { except: current }) };
  const ended = await context.store.system.identity.endLogins(
    loginId === null ? others : { userId, id: loginId },
    {
      orgId: principal.orgId,
      audit: auditDraft(principal, origin, {
        action: "user.login_ended",
        target: loginId === null ? { type: "user", id: userId } : { type: "login", id: loginId },
      }),
    },
  );
  if (loginId !== null && ended === 0) throw loginNotFound(loginId);
  tellAccessChanged(context, null);
}

export function loginNotFound(id: string): BerthError {
  return new BerthError("login_not_found", `There is no login ${id}.`);
}

async function accountOf(context: OperationsContext, principal: Principal): Promise<AccountRecord> {
  const account =
    principal.type === "user" ? await context.store.system.identity.findAccount(principal.id) : null;
  if (account === null) throw notAPerson();
  return account;
}

async function accountView(context: OperationsContext, account: AccountRecord): Promise<User> {
  const memberships = await context.store.system.identity.listMemberships(account.id);
  return {
    id: account.id,
    name: account.name,
    email: account.email,
    hasPassword: account.passwordHash !== null,
    createdAt: timeText(account.createdAt),
    lastLoginAt: timeOrNull(account.lastLoginAt),
    memberships: memberships.map(({ org: { id, slug, name }, role }) => ({ org: { id, slug, name }, role })),
  };
}

function loginView(login: LoginRecord, principal: Principal): UserLogin {
  const { id, method, address, agent } = login;
  return {
    id,
    method,
    address,
    agent,
    current: id === loginIdOf(principal),
    createdAt: timeText(login.createdAt),
    lastSeenAt: timeText(login.lastSeenAt),
    expiresAt: timeText(login.expiresAt),
  };
}

/** A key is good for one organization and for what its scopes say; the account is the person's in all of them. Throws `forbidden`. */
function requirePerson(principal: Principal): void {
  if (!isKey(principal)) return;
  throw new BerthError("forbidden", "A key does not open the account of its owner: log in for that.");
}

function loginIdOf({ credential }: Principal): string | null {
  return credential.kind === "cookie" ? credential.id : null;
}

function notAPerson(): BerthError {
  return new BerthError("not_a_person", "Only people have accounts of their own, logins and passwords.");
}
