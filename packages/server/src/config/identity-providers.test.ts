import { describe, expect, it } from "vitest";
import { loadConfig } from "./load.ts";

const load = (env: Readonly<Record<string, string>>) => loadConfig({ env, cwd: "/" });
const issuer = { issuer: "https://idp.example", audience: "berth" };
const provider = { name: "acme", issuer: "https://idp.example", clientId: "berth" };
const jwt = (...issuers: readonly object[]) => load({ BERTH_JWT_ISSUERS: JSON.stringify(issuers) });
const oidc = (value: object, env = {}) => load({ BERTH_OIDC_PROVIDERS: JSON.stringify([value]), ...env });

describe("identity providers in the configuration", () => {
  it("have careful defaults", () => {
    expect(jwt(issuer).config.jwtIssuers).toMatchObject([
      {
        audience: ["berth"],
        algorithms: ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"],
        requireNbf: true,
        clockToleranceMs: 5_000,
        jwksCooldownMs: 30_000,
        jwksMaxAgeMs: 600_000,
        provision: false,
        defaultRole: "viewer",
        trustEmail: false,
      },
    ]);
    expect(oidc(provider).config.oidcProviders).toMatchObject([
      { label: "acme", clientSecret: null, scopes: ["openid", "profile", "email"], provision: false },
    ]);
  });

  it.each([
    ["a symmetric algorithm", { algorithms: ["HS256"] }],
    ["no algorithm", { algorithms: [] }],
    ["none", { algorithms: ["none"] }],
    ["a plain address of another machine", { issuer: "http://idp.example" }],
    ["a user name in the address", { issuer: "https://a:b@idp.example" }],
    ["no audience", { audience: [] }],
    ["a tolerance of an hour", { clockTolerance: "1h" }],
    ["people of nowhere", { provision: true }],
    ["roles that nobody keeps", { org: "acme", roleClaim: "groups", roles: { a: "admin" } }],
    ["a claim without roles", { org: "acme", provision: true, roleClaim: "groups" }],
    ["an unknown member", { audiance: "berth" }],
  ])("are refused with %s", (_, change) => {
    expect(() => jwt({ ...issuer, ...change })).toThrow(
      /BERTH_JWT_ISSUERS is not a JSON list of token issuers/,
    );
  });

  it("take their secret from a variable, and show it nowhere", () => {
    const named = { ...provider, clientSecretEnv: "ACME_SECRET" };
    const loaded = oidc(named, { ACME_SECRET: "s3cret-value" });
    expect(loaded.config.oidcProviders[0]?.clientSecret?.reveal()).toBe("s3cret-value");
    expect(JSON.stringify(loaded.settings)).not.toContain("s3cret-value");
    expect(() => oidc(named)).toThrow("wants the secret of acme from ACME_SECRET, which is not set");
    expect(() => oidc({ ...named, clientSecret: "x" })).toThrow(/has two secrets/);
  });

  it("know the methods by name", () => {
    expect(load({ BERTH_AUTH_METHODS: "api-key,jwt" }).config.authMethods).toEqual(["api-key", "jwt"]);
    expect(() => load({ BERTH_AUTH_METHODS: "api-key,nothing" })).toThrow("BERTH_AUTH_METHODS");
  });
});
