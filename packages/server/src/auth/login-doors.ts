import type { SystemIdentity } from "../store/identity.ts";
import type { Logins } from "./logins.ts";
import type { OidcLogin } from "./oidc-login.ts";
import type { PasswordLogin } from "./password-login.ts";
import type { OriginRules } from "./same-origin.ts";

/** How people log in in browsers. */
export interface LoginDoors {
  readonly logins: Logins;
  /** Null: not with a password. */
  readonly password: PasswordLogin | null;
  /** Null: not at an identity provider. */
  readonly oidc: OidcLogin | null;
  readonly identity: Pick<SystemIdentity, "findAccount" | "listMemberships">;
  /** Of pages that may act for people who are logged in, besides the server's own. */
  readonly origins: OriginRules;
}
