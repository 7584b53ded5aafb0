import { createHmac, createPublicKey, generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { createBrowserRobot } from "../../support/identity/browser-robot.ts";
import { type IdentityProvider, startIdentityProvider } from "../../support/identity/identity-provider.ts";
import { accessTokenFrom, robotRedirect } from "../../support/identity/tokens.ts";
import { entry } from "../../support/security/tenant.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

let idp: IdentityProvider;
const redirectUris = [robotRedirect];
const env: Record<string, string> = {};
beforeAll(async () => {
  const person = { sub: "ada", name: "Ada", email: "ada@alpha.example", claims: { org: "alpha" } };
  idp = await startIdentityProvider({ redirectUris: () => redirectUris, person });
  const rules = { orgClaim: "org", provision: true, defaultRole: "member" };
  const issuer = { issuer: idp.issuer, audience: idp.audience, jwksCooldown: "1s", ...rules };
  env["BERTH_JWT_ISSUERS"] = JSON.stringify([issuer]);
  const { clientId, clientSecret } = idp;
  const provider = { name: "test", label: "Test", issuer: idp.issuer, clientId, clientSecret, ...rules };
  env["BERTH_OIDC_PROVIDERS"] = JSON.stringify([provider]);
});
afterAll(() => idp.close());
const world = useTwoOrgs({ env });
beforeAll(async () => {
  redirectUris.push(`${world().url}/api/v1/login/oidc/test/callback`);
  await idp.rotateKeys();
});

const me = (token: string, headers: Readonly<Record<string, string>> = {}) =>
  world().call(token, { method: "GET", path: "/api/v1/me", headers });
const seconds = () => Math.floor(Date.now() / 1_000);

/** Claims that are good, with those that are given; undefined takes one away. */
function claims(changes: Readonly<Record<string, unknown>> = {}): JWTPayload {
  const now = seconds();
  const good = {
    iss: idp.issuer,
    aud: idp.audience,
    sub: "ada",
    iat: now,
    nbf: now,
    exp: now + 60,
    org: "alpha",
  };
  return JSON.parse(JSON.stringify({ ...good, ...changes })) as JWTPayload;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("tokens of an identity provider", () => {
  it("let a person in whom it names, as a member of the organization that it names", async () => {
    const token = await accessTokenFrom(idp);
    const seen = await me(token);
    expect([seen.status, seen.text]).toEqual([200, expect.stringContaining(world().a.orgId)]);
    expect((await me(token)).text).toBe(seen.text);
    const again = JSON.parse((await me(await accessTokenFrom(idp))).text) as { principal: { id: string } };
    expect(seen.text).toContain(again.principal.id);
  });

  it("open no other organization than the one that they name", async () => {
    const token = await idp.forge(claims());
    const theirs = await me(token, { "x-berth-org": "beta" });
    const nobodys = await me(token, { "x-berth-org": "zeta" });
    expect([theirs.status, theirs.code]).toEqual([404, "org_not_found"]);
    expect(withoutName(theirs.text)).toBe(withoutName(nobodys.text));
    expect((await me(await idp.forge(claims({ org: "nowhere" })))).status).toBe(401);
    expect((await me(await idp.forge(claims({ org: undefined })))).status).toBe(401);
    expect((await me(token, { "x-berth-org": "alpha" })).status).toBe(200);
  });

  it("are taken after a change of keys without a restart, and old ones no more", async () => {
    const before = await idp.forge(claims({ jti: "before" }));
    await idp.rotateKeys();
    const after = await idp.forge(claims({ jti: "after" }));
    await vi.waitFor(async () => expect((await me(after)).status).toBe(200), { timeout: 10_000 });
    expect((await me(before)).status).toBe(401);
  });
});

const withoutName = (text: string) => text.replaceAll(/(beta|zeta)|"requestId":"[^"]*"/g, "");

describe("AUT-01: forged tokens", () => {
  const attacks: Readonly<Record<string, () => Promise<string> | string>> = {
    ...Object.fromEntries(
      ["none", "None", "nOnE", "NONE", ""].map((alg) => [
        `alg ${alg}`,
        () => `${encode({ alg, typ: "JWT" })}.${encode(claims())}.`,
      ]),
    ),
    "alg none with a signature": () => `${encode({ alg: "none" })}.${encode(claims())}.AAAA`,
    "HS256 with the public key as its secret": async () => {
      const response = await fetch(`${idp.issuer}/jwks`);
      const { keys } = (await response.json()) as { keys: { kid: string }[] };
      const [jwk = { kid: "" }] = keys;
      const pem = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
      const text = `${encode({ alg: "HS256", kid: jwk.kid })}.${encode(claims())}`;
      return `${text}.${createHmac("sha256", pem).update(text).digest("base64url")}`;
    },
    "a key of its own in the header": async () => {
      const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
      const jwk = await exportJWK(publicKey);
      return new SignJWT(claims()).setProtectedHeader({ alg: "RS256", jwk }).sign(privateKey);
    },
    "jku and x5u to somewhere else": async () => {
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
      const elsewhere = "http://127.0.0.1:9/keys";
      const header = { alg: "RS256", kid: "mine", jku: elsewhere, x5u: elsewhere };
      return new SignJWT(claims()).setProtectedHeader(header).sign(privateKey);
    },
    "crit that nobody knows": () => idp.forge(claims(), { crit: ["urn:x"], "urn:x": 1 }),
    "a changed payload": async () => {
      const [header = "", , signature = ""] = (await idp.forge(claims())).split(".");
      return `${header}.${encode(claims({ sub: "somebody else" }))}.${signature}`;
    },
    "no signature": async () => `${(await idp.forge(claims())).split(".").slice(0, 2).join(".")}.`,
    ...Object.fromEntries(
      ["../../../../etc/passwd", "' OR 1=1 --", "http://127.0.0.1:9/key", "k".repeat(6_000), "\u0000"].map(
        (kid) => [`kid ${kid.slice(0, 24)}`, () => idp.forge(claims(), { kid })],
      ),
    ),
    "no JSON inside": () =>
      `${encode({ alg: "RS256" })}.${Buffer.from("nothing").toString("base64url")}.AAAA`,
    "100 kB": () => `${encode({ alg: "RS256" })}.${"A".repeat(10_000)}.AAAA`,
  };

  it.each(Object.keys(attacks))("AUT-01: %s", async (name) => {
    const seen = await me((await attacks[name]?.()) ?? "");
    expect([seen.status, seen.code]).toEqual([401, "unauthenticated"]);
  });

  it("AUT-01: the same claims with the provider's own signature are good", async () => {
    expect((await me(await idp.forge(claims()))).status).toBe(200);
  });

  it("AUT-01: a flood of unknown keys asks the provider once per cooldown", async () => {
    const before = idp.keyFetches;
    const started = Date.now();
    for (let i = 0; i < 100; i += 1) {
      expect((await me(await idp.forge(claims(), { kid: `unknown-${i}` }))).status).toBe(401);
    }
    const cooldowns = Math.ceil((Date.now() - started) / 1_000) + 1;
    expect(idp.keyFetches - before).toBeLessThanOrEqual(cooldowns);
    expect((await me(await idp.forge(claims()))).status).toBe(200);
  });
});

describe("AUT-02: tokens that are not for us, or not now", () => {
  const now = seconds();
  it.each([
    ["expired", { exp: now - 60 }],
    ["not yet good", { nbf: now + 600 }],
    ["issued in the future", { iat: now + 600 }],
    ["of another issuer", { iss: "https://evil.example" }],
    ["of nobody", { iss: undefined }],
    ["for another audience", { aud: "https://other.example" }],
    ["for no audience", { aud: undefined }],
    ["without an end", { exp: undefined }],
    ["without a beginning", { nbf: undefined }],
    ["without a subject", { sub: undefined }],
    ["with an empty subject", { sub: "" }],
    ["with an end that is no number", { exp: "soon" }],
  ])("AUT-02: %s", async (_, changes) => {
    const seen = await me(await idp.forge(claims(changes)));
    expect([seen.status, seen.code]).toEqual([401, "unauthenticated"]);
  });

  it("AUT-02: of a person who was suspended, within seconds", async () => {
    const token = await idp.forge(claims({ sub: "suspended" }));
    const seen = JSON.parse((await me(token)).text) as { principal: { id: string } };
    const { a, store } = world();
    const audit = entry("member.updated");
    await store.org(a.orgId).identity.updateMember({ userId: seen.principal.id, status: "suspended", audit });
    await vi.waitFor(async () => expect((await me(token)).status).toBe(401), {
      timeout: 5_000,
      interval: 100,
    });
  });
});

describe("a login at the identity provider", () => {
  const start = () => `${world().url}/api/v1/login/oidc/test?returnTo=/console`;

  it("brings a browser back with a cookie that opens the API", async () => {
    const robot = createBrowserRobot();
    const { url } = await robot.follow(start(), ({ pathname }) => pathname === "/console");
    expect(url.href).toBe(`${world().url}/console`);
    const seen = await robot.request(`${world().url}/api/v1/login`);
    expect([seen.status, await seen.json()]).toMatchObject([
      200,
      { user: { name: "Ada" }, org: { slug: "alpha" } },
    ]);
  });

  it("is one entry of the audit log, with who it was and where from", async () => {
    const { key } = world().a.people.owner;
    const entries = async () => {
      const path = "/api/v1/audit-log?action=login.started&limit=200";
      const seen = await world().call(key, { method: "GET", path });
      return (JSON.parse(seen.text) as { items: { actor: { name: string }; address: string }[] }).items;
    };
    const before = (await entries()).length;
    await createBrowserRobot().follow(start(), ({ pathname }) => pathname === "/console");
    const after = await entries();
    expect(after.length - before).toBe(1);
    expect(after.some(({ actor, address }) => actor.name === "Ada" && address === "127.0.0.1")).toBe(true);
  });

  it("is worth nothing in another browser, a second time, or with another state", async () => {
    const robot = createBrowserRobot();
    const isBack = ({ pathname }: URL) => pathname.endsWith("/callback");
    const { url } = await robot.follow(start(), isBack);
    expect((await createBrowserRobot().request(url.href)).status).toBe(401);
    const changed = new URL(url);
    changed.searchParams.set("state", "another");
    expect((await robot.request(changed.href)).status).toBe(401);
    expect((await robot.request(url.href)).status).toBe(302);
    expect((await robot.request(url.href)).status).toBe(401);
  });

  it("refuses an answer of another issuer", async () => {
    const robot = createBrowserRobot();
    const { url } = await robot.follow(start(), ({ pathname }) => pathname.endsWith("/callback"));
    url.searchParams.set("iss", "https://evil.example");
    expect((await robot.request(url.href)).status).toBe(401);
  });

  it.each(["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])(
    "goes back to no other place: %s",
    async (to) => {
      const response = await fetch(
        `${world().url}/api/v1/login/oidc/test?returnTo=${encodeURIComponent(to)}`,
      );
      expect(response.status).toBe(422);
    },
  );
});
