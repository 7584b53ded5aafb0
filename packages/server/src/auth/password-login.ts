import { BerthError } from "../lib/errors.ts";
import type { Secret } from "../lib/secret.ts";
import type { AccountRecord, OrgRecord, SystemIdentity } from "../store/identity.ts";
import type { LoginAttempts } from "./login-attempts.ts";
import type { LoginRequest, Logins, StartedLogin } from "./logins.ts";
import type { Passwords } from "./password.ts";

export interface PasswordLogin {
  /** Rejects with `login_refused`, the same for every reason, `too_many_attempts` or `too_busy`. */
  logIn(given: GivenPassword, request: LoginRequest): Promise<StartedLogin>;
}

export interface GivenPassword {
  readonly email: string;
  readonly password: Secret;
  /** Id or slug of where to go; null: to the first organization that the person is a member of. */
  readonly org: string | null;
}

export interface PasswordLoginOptions {
  readonly identity: SystemIdentity;
  readonly passwords: Passwords;
  readonly attempts: LoginAttempts;
  readonly logins: Logins;
}

/** Email and password, for people without an identity provider. Whether there is such an account is not told, nor by how long it takes. */
export function createPasswordLogin(options: PasswordLoginOptions): PasswordLogin {
  const { identity, passwords, attempts, logins } = options;
  return {
    async logIn({ email: written, password, org }, request) {
      const email = written.toLowerCase();
      await attempts.take({ email, address: request.presented.peer.address });
      const account = await identity.findAccountByEmail(email);
      const usable = account !== null && account.status === "active" && !account.operator ? account : null;
      const isRight = await passwords.verify(password, usable?.passwordHash ?? null);
      const home = isRight && usable !== null ? await orgFor(identity, usable, org) : null;
      if (usable === null || home === null) throw loginRefused();
      return logins.begin({ account: usable, orgId: home.id, method: "password" }, request);
    },
  };
}

/** Where a person goes who has not been anywhere yet. Null for who is a member of no active organization, or not of that one. */
export async function orgFor(
  identity: SystemIdentity,
  account: AccountRecord,
  wanted: string | null,
): Promise<OrgRecord | null> {
  const memberships = await identity.listMemberships(account.id);
  const open = memberships.map(({ org }) => org).filter(({ status }) => status === "active");
  return open.find(({ id, slug }) => wanted === null || wanted === id || wanted === slug) ?? null;
}

function loginRefused(): BerthError {
  return new BerthError(
    "login_refused",
    "This email and password do not open anything here. If you have forgotten the password, ask an administrator of your organization to reset it.",
  );
}
