import { loginProviders, tokenIssuers } from "../identity-providers.ts";
import { networks } from "../network-kinds.ts";
import { boolean, duration, integer, list, secret, text, url } from "../setting-kinds.ts";
import { optional } from "../setting.ts";

/** What may be turned off. The admin key cannot: somebody must be able to get in. */
const authMethods = [
  "api-key",
  "jwt",
  "sso-header",
  "certificate",
  "password",
  "oidc",
  "share-link",
  "signature",
] as const;

export const authenticationSettings = {
  authMethods: list({
    default: authMethods,
    each: new RegExp(`^(${authMethods.join("|")})$`),
    what: authMethods.join(" | "),
    help: "How callers may prove who they are, beside the admin key. What is not named here is refused.",
  }),
  publicUrl: optional(
    url({
      default: "",
      help: "Where people reach the server, such as `https://berth.example`. Without it what their browsers ask for counts. Identity providers send people back there.",
    }),
  ),
  jwtIssuers: tokenIssuers({
    help: "Identity providers whose signed tokens are taken, as `[{issuer, audience, jwksUri, algorithms, org | orgClaim, roleClaim, roles, provision, …}]`.",
  }),
  oidcProviders: loginProviders({
    help: "Identity providers where people log in, as `[{name, issuer, clientId, clientSecret | clientSecretEnv, org | orgClaim, provision, …}]`.",
  }),
  ssoSecret: secret({
    pattern: /^[\u0021-\u007e]{32,512}$/,
    type: "at least 32 random characters",
    help: "With which an authenticating proxy signs `X-User-Info`. Without it and without `ssoCertificates` that header is refused.",
  }),
  ssoProxies: networks({
    help: "Addresses or networks of the proxies that may send `X-User-Info`. Without it those that `trustedProxies` names.",
  }),
  ssoCertificates: list({
    default: [],
    each: /^([0-9a-f]{64}|(DNS|URI|IP Address|email):\S+)$/,
    what: "SHA-256 fingerprints or names of client certificates",
    help: "Certificates by which a proxy proves itself instead of a signature: hex fingerprints, or names such as `DNS:proxy.internal`.",
  }),
  ssoOrg: optional(
    text({
      default: "",
      type: "id or slug of an organization",
      pattern: /^[a-z0-9][a-z0-9_-]{0,63}$/,
      help: "The organization of people whose `X-User-Info` names none.",
    }),
  ),
  ssoProvision: boolean({
    default: false,
    help: "Whether somebody whom `X-User-Info` names and who is not known yet is made a member.",
  }),
  ssoDefaultRole: text({
    default: "viewer",
    type: "name of a role",
    pattern: /^[a-z][a-z0-9-]{0,39}$/,
    help: "The role of members that `ssoProvision` makes.",
  }),
  loginIdle: duration({
    default: "12h",
    min: "1m",
    max: "90d",
    help: "After how long without a request a login in a browser ends.",
  }),
  loginLifetime: duration({
    default: "7d",
    min: "5m",
    max: "365d",
    help: "After how long a login in a browser ends, whatever was done with it.",
  }),
  loginAttempts: integer({
    default: 10,
    min: 3,
    max: 1_000,
    help: "How often within 10 minutes one address may try to log in to one account. To all accounts together it may try ten times as often.",
  }),
} as const;
