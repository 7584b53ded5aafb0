import { z } from "zod";
import { parseDuration } from "../lib/duration.ts";
import { type JwtAlgorithm, jwtAlgorithms } from "../lib/jwt-algorithms.ts";
import { Secret } from "../lib/secret.ts";
import { jsonList } from "./json-list.ts";
import type { ReadContext, Setting, SettingText } from "./setting.ts";

/** Who makes claims about people, and how they are read. Shared by tokens of programs and logins of people. */
const claims = {
  org: z.string().min(1).nullable().default(null),
  orgClaim: z.string().min(1).nullable().default(null),
  nameClaim: z.string().min(1).default("name"),
  emailClaim: z.string().min(1).default("email"),
  roleClaim: z.string().min(1).nullable().default(null),
  roles: z.record(z.string(), z.string().min(1)).default({}),
  provision: z.boolean().default(false),
  defaultRole: z.string().min(1).default("viewer"),
  trustEmail: z.boolean().default(false),
} as const;

interface ClaimRules {
  readonly org: string | null;
  readonly orgClaim: string | null;
  readonly roleClaim: string | null;
  readonly provision: boolean;
}

/** HTTPS, but for a provider on this machine. */
const address = z.string().refine((text) => {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "" || url.hash !== "") return false;
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  return url.protocol === "https:" || (local && url.protocol === "http:");
}, "must be an https address");

const duration = (range: { readonly min: string; readonly max: string }) =>
  z.string().transform((text, context) => {
    try {
      const ms = parseDuration(text);
      if (ms >= parseDuration(range.min) && ms <= parseDuration(range.max)) return ms;
    } catch {
      // Told below, as one that is out of range is.
    }
    context.addIssue({ code: "custom", message: `must be a duration from ${range.min} to ${range.max}` });
    return z.NEVER;
  });

const makesPeople = "with provision it needs org or orgClaim: they say where people are made members";
const namesRoles =
  "roleClaim needs provision, which keeps roles as the claim says, and roles, which maps its values";
const isComplete = ({ provision, org, orgClaim }: ClaimRules) =>
  !provision || org !== null || orgClaim !== null;
const rolesAreUsed = (rules: ClaimRules & { readonly roles: Readonly<Record<string, string>> }) =>
  rules.roleClaim === null || (rules.provision && Object.keys(rules.roles).length > 0);

const tokenIssuer = z
  .strictObject({
    issuer: address,
    audience: z.union([
      z
        .string()
        .min(1)
        .transform((one) => [one]),
      z.array(z.string().min(1)).min(1),
    ]),
    jwksUri: address.nullable().default(null),
    algorithms: z
      .array(z.enum(jwtAlgorithms))
      .min(1)
      .default((): JwtAlgorithm[] => ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]),
    requireNbf: z.boolean().default(true),
    clockTolerance: duration({ min: "0s", max: "2m" }).prefault("5s"),
    jwksCooldown: duration({ min: "1s", max: "1h" }).prefault("30s"),
    jwksMaxAge: duration({ min: "1m", max: "1d" }).prefault("10m"),
    ...claims,
  })
  .refine(isComplete, makesPeople)
  .refine(rolesAreUsed, namesRoles);

/** An issuer of tokens as the configuration names it. Times are milliseconds. */
export type TokenIssuerConfig = Omit<
  z.output<typeof tokenIssuer>,
  "clockTolerance" | "jwksCooldown" | "jwksMaxAge"
> & {
  readonly clockToleranceMs: number;
  readonly jwksCooldownMs: number;
  readonly jwksMaxAgeMs: number;
};

const loginProvider = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be lower-case letters, digits and hyphens"),
    label: z.string().min(1).max(100).optional(),
    issuer: address,
    clientId: z.string().min(1),
    clientSecret: z.string().min(1).optional(),
    /** The environment variable that holds it. */
    clientSecretEnv: z.string().min(1).optional(),
    scopes: z.array(z.string().min(1)).default(["openid", "profile", "email"]),
    ...claims,
  })
  .refine(isComplete, makesPeople)
  .refine(rolesAreUsed, namesRoles)
  .refine(
    ({ clientSecret, clientSecretEnv }) => clientSecret === undefined || clientSecretEnv === undefined,
    "has two secrets: give clientSecret or clientSecretEnv",
  );

/** A provider where people log in, as the configuration names it. */
export type LoginProviderConfig = Omit<
  z.output<typeof loginProvider>,
  "clientSecret" | "clientSecretEnv" | "label"
> & {
  readonly label: string;
  /** Null: a public client, that PKCE alone protects. */
  readonly clientSecret: Secret | null;
};

export function tokenIssuers(spec: SettingText): Setting<readonly TokenIssuerConfig[]> {
  return jsonList({
    ...spec,
    type: "JSON list of token issuers",
    schema: tokenIssuer,
    resolve: ({ clockTolerance, jwksCooldown, jwksMaxAge, ...issuer }) => ({
      ...issuer,
      clockToleranceMs: clockTolerance,
      jwksCooldownMs: jwksCooldown,
      jwksMaxAgeMs: jwksMaxAge,
    }),
  });
}

export function loginProviders(spec: SettingText): Setting<readonly LoginProviderConfig[]> {
  return jsonList({
    ...spec,
    type: "JSON list of login providers",
    schema: loginProvider,
    resolve({ clientSecret, clientSecretEnv, ...provider }, { env }) {
      return {
        ...provider,
        label: provider.label ?? provider.name,
        clientSecret: secretOf(provider.name, { clientSecret, clientSecretEnv }, env),
      };
    },
  });
}

function secretOf(
  name: string,
  given: { readonly clientSecret: string | undefined; readonly clientSecretEnv: string | undefined },
  env: ReadContext["env"],
): Secret | null {
  const { clientSecret, clientSecretEnv } = given;
  const secret = clientSecretEnv === undefined ? clientSecret : env[clientSecretEnv];
  if (clientSecretEnv !== undefined && !secret) {
    throw new Error(`wants the secret of ${name} from ${clientSecretEnv}, which is not set`);
  }
  return secret === undefined ? null : new Secret(secret);
}
