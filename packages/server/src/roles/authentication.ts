import type { Config } from "../config/schema.ts";
import { type Authenticator, createAuthenticator } from "../auth/authenticator.ts";
import { onAuthHint } from "../auth/auth-hints.ts";
import { createJwtVerifier } from "../auth/jwt.ts";
import { createKeyUse } from "../auth/key-use.ts";
import type { LoginDoors } from "../auth/login-doors.ts";
import type { RequestMethod, TokenMethod } from "../auth/method.ts";
import { adminKeyMethod } from "../auth/methods/admin-key.ts";
import { apiKeyMethod } from "../auth/methods/api-key.ts";
import { certificateMethod } from "../auth/methods/certificate.ts";
import { cookieMethod } from "../auth/methods/cookie.ts";
import { jwtMethod, type Verified } from "../auth/methods/jwt.ts";
import { sessionAgentMethod } from "../auth/methods/session-agent.ts";
import { shareLinkMethod } from "../auth/methods/share-link.ts";
import { signatureMethod } from "../auth/methods/signature.ts";
import { ssoHeaderMethod, type SsoTrust } from "../auth/methods/sso-header.ts";
import { createOrgChoice } from "../auth/org-choice.ts";
import type { Passwords } from "../auth/password.ts";
import type { Principal } from "../auth/principal.ts";
import { createShortMemory } from "../auth/short-memory.ts";
import { createAddressSet } from "../lib/addresses.ts";
import type { Secret } from "../lib/secret.ts";
import type { OrgRecord } from "../store/identity.ts";
import { openLogin } from "./login.ts";
import type { Ports } from "./ports.ts";

export interface Authentication {
  readonly authenticator: Authenticator;
  readonly login: LoginDoors | null;
  stop(): Promise<void>;
}

export interface AuthenticationOptions {
  readonly config: Config;
  readonly ports: Ports;
  readonly adminKey: Secret;
  readonly passwords: Passwords;
  readonly owner: { readonly orgId: string; readonly userId: string; readonly userName: string };
}

/** How long it may be trusted that nothing changed, when the hint of a change is lost. Milliseconds. */
const memoryMs = 2_000;
/** How long a checked signature need not be checked again. Milliseconds. */
const verifiedMs = 60_000;

/** Everything that says who is calling, by the methods that the configuration has on. */
export async function openAuthentication(options: AuthenticationOptions): Promise<Authentication> {
  const { config, ports, adminKey, passwords, owner } = options;
  const { store, clock, bus, keys, telemetry } = ports;
  const now = () => clock.now();
  const report = (error: unknown) => telemetry.unexpectedError({ where: "authentication", error });
  const refused = (issuer: string, why: string) =>
    telemetry.logger.debug({ issuer, why }, "a token was not taken");
  const memory = createShortMemory<Principal>({ clock, ttlMs: memoryMs });
  const knownOrgs = createShortMemory<OrgRecord>({ clock, ttlMs: memoryMs });
  const verified = createShortMemory<Verified>({ clock, ttlMs: verifiedMs });
  const orgs = createOrgChoice(store, knownOrgs);
  const use = createKeyUse({ write: (used) => store.system.identity.touchApiKeys(used), clock, report });
  const linkUse = createKeyUse({
    write: (used) => store.system.access.noteShareLinkUses(used),
    clock,
    report,
  });
  const verifier = createJwtVerifier({ issuers: config.jwtIssuers, clock, report, refused });
  const isOn = (method: string) => config.authMethods.includes(method);
  const tokens: TokenMethod[] = [adminKeyMethod({ adminKey, owner, orgs })];
  if (isOn("api-key")) tokens.push(apiKeyMethod({ store, pepper: keys.pepper, memory, orgs, use, now }));
  if (isOn("share-link")) tokens.push(shareLinkMethod({ store, pepper: keys.pepper, orgs, use: linkUse }));
  if (isOn("jwt")) tokens.push(jwtMethod({ verifier, store, orgs, memory, verified, now, refused }));
  const login = openLogin({ config, ports, orgs, passwords });
  const origins = new Set(config.corsOrigins);
  const trust = isOn("sso-header") ? ssoTrustOf(config) : null;
  const { ssoProvision: provision, ssoDefaultRole: defaultRole, ssoOrg: defaultOrg } = config;
  const rules = { provision, defaultRole, trustEmail: true };
  const requests: RequestMethod[] = [
    ssoHeaderMethod({ trust, rules, defaultOrg, store, orgs, memory, now, origins }),
  ];
  requests.push(sessionAgentMethod({ store }));
  if (login !== null) requests.push(cookieMethod({ ...login, store, orgs, memory }));
  if (isOn("signature")) {
    requests.push(signatureMethod({ store, pepper: keys.pepper, orgs, counter: ports.counter, use, now }));
  }
  const fallback = isOn("certificate") ? certificateMethod({ store, orgs, memory, origins }) : null;
  const authenticator = createAuthenticator({ methods: { tokens, requests, fallback }, clock });
  const unsubscribe = await onAuthHint(bus, ({ orgId }) => {
    memory.forget(orgId);
    knownOrgs.forget(orgId);
  });
  return {
    authenticator,
    login,
    async stop() {
      unsubscribe();
      verifier.stop();
      await use.stop();
      await linkUse.stop();
    },
  };
}

/** Which proxies are believed that say who somebody is. Null: none. */
function ssoTrustOf({
  ssoSecret: secret,
  ssoCertificates: certificates,
  ssoProxies,
}: Config): SsoTrust | null {
  if (secret === null && certificates.length === 0) return null;
  return { secret, certificates, proxies: ssoProxies.length === 0 ? null : createAddressSet(ssoProxies) };
}
