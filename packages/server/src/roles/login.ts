import { hintAuth } from "../auth/auth-hints.ts";
import { createLoginAttempts } from "../auth/login-attempts.ts";
import type { LoginDoors } from "../auth/login-doors.ts";
import { createLogins } from "../auth/logins.ts";
import { createOidcLogin } from "../auth/oidc-login.ts";
import type { OrgChoice } from "../auth/org-choice.ts";
import type { Passwords } from "../auth/password.ts";
import { createPasswordLogin } from "../auth/password-login.ts";
import { createSealedText } from "../auth/sealed-text.ts";
import type { Config } from "../config/schema.ts";
import type { Ports } from "./ports.ts";

export interface LoginOptions {
  readonly config: Config;
  readonly ports: Ports;
  readonly orgs: OrgChoice;
  readonly passwords: Passwords;
}

/** How people log in in browsers, by what the configuration has on. Null: not at all. */
export function openLogin(options: LoginOptions): LoginDoors | null {
  const { config, ports, orgs, passwords } = options;
  const { store, clock, bus, counter, keys, telemetry } = ports;
  const { identity } = store.system;
  const now = () => clock.now();
  const withPassword = config.authMethods.includes("password");
  const withOidc = config.authMethods.includes("oidc") && config.oidcProviders.length > 0;
  if (!withPassword && !withOidc) return null;
  const logins = createLogins({
    identity,
    pepper: keys.pepper,
    now,
    idleMs: config.loginIdle,
    lifetimeMs: config.loginLifetime,
    changed: (orgId) => hintAuth(bus, orgId),
  });
  const attempts = createLoginAttempts({ counter, clock, attempts: config.loginAttempts });
  return {
    logins,
    identity,
    origins: new Set(config.corsOrigins),
    password: withPassword ? createPasswordLogin({ identity, passwords, attempts, logins }) : null,
    oidc: withOidc
      ? createOidcLogin({
          providers: config.oidcProviders,
          identity,
          orgs,
          logins,
          sealed: createSealedText(keys.pepper, "login at an identity provider"),
          publicUrl: config.publicUrl === null ? null : new URL(config.publicUrl).origin,
          now,
          onRefused: (provider, error) => telemetry.loginRefused({ provider, error }),
        })
      : null,
  };
}
