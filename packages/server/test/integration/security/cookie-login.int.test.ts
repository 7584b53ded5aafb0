import { beforeAll, describe, expect, it, vi } from "vitest";
import { createPasswords } from "../../../src/auth/password.ts";
import { newId } from "../../../src/lib/id.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { type RawReply, rawRequest } from "../../support/identity/raw-request.ts";
import { entry } from "../../support/security/tenant.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

const env = { BERTH_LOGIN_ATTEMPTS: "5", BERTH_CORS_ORIGINS: "https://console.example" };
const world = useTwoOrgs({ env });
const password = "correct horse battery staple";
const email = "dora@alpha.example";
let userId = "";

/** A person with a password in both organizations. */
beforeAll(async () => {
  const { store, a, b } = world();
  const passwordHash = await createPasswords().hash(new Secret(password));
  for (const [orgId, role] of [
    [a.orgId, "member"],
    [b.orgId, "viewer"],
  ] as const) {
    const account = await store.system.identity.provision({
      orgId,
      userId: newId("user"),
      name: "Dora",
      email,
      emailVerified: true,
      identity: null,
      role,
      updateRole: false,
      audit: entry("member.added"),
    });
    userId = account.id;
  }
  const audit = entry("password.set");
  await store.system.identity.setPassword({ orgId: a.orgId, userId, passwordHash, keepLogin: null, audit });
});

interface Login {
  readonly cookie: string;
  readonly csrf: string;
}

/** Each test comes from an address of its own, so that none uses up what another may try. */
let nextAddress = 10;
const someAddress = () => `127.0.3.${(nextAddress += 1)}`;

const at = (path: string) => `${world().url}/api/v1${path}`;
const tryLogin = (body: Readonly<Record<string, unknown>>, from: string, more = {}) =>
  rawRequest({ url: at("/login"), method: "POST", body, from, headers: more });

async function logIn(from = someAddress(), headers = {}): Promise<Login> {
  const reply = await tryLogin({ email, password }, from, headers);
  expect(reply.status).toBe(201);
  const cookie = reply.cookies.map((line) => line.split(";")[0]).join("; ");
  return { cookie, csrf: (JSON.parse(reply.text) as { csrfToken: string }).csrfToken };
}

const get = (path: string, { cookie }: Login, headers = {}) =>
  rawRequest({ url: at(path), headers: { cookie, ...headers } });

/** Something that changes something, as the console sends it. */
function change({ cookie, csrf }: Login, headers: Readonly<Record<string, string | undefined>> = {}) {
  const all = { cookie, "x-csrf-token": csrf, origin: world().url, ...headers };
  const given = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return rawRequest({ url: at("/tickets"), method: "POST", body: {}, headers: Object.fromEntries(given) });
}

const without = (reply: RawReply) => [reply.status, reply.text.replaceAll(/"requestId":"[^"]*"/g, "")];

describe("a login with a password", () => {
  it("opens the API with a cookie that no script reads, and ends for good", async () => {
    const from = someAddress();
    const reply = await tryLogin({ email: email.toUpperCase(), password }, from);
    expect(reply.cookies).toEqual([
      expect.stringMatching(/^berth=lgn_[\w-]{43}; Path=\/; Max-Age=\d+; SameSite=Lax; HttpOnly$/),
      expect.stringMatching(/^berth-csrf=csr_[\w-]{43}; Path=\/; Max-Age=\d+; SameSite=Lax$/),
    ]);
    const login = await logIn();
    const seen = await get("/login", login);
    expect(JSON.parse(seen.text)).toMatchObject({ user: { id: userId }, orgs: [{}, {}] });
    const out = await rawRequest({
      url: at("/logout"),
      method: "POST",
      headers: { cookie: login.cookie, "x-csrf-token": login.csrf, origin: world().url },
    });
    expect([out.status, out.cookies.every((line) => line.includes("Max-Age=0"))]).toEqual([204, true]);
    expect((await get("/login", login)).status).toBe(401);
  });

  it("gets another cookie each time, and ends the one that was there before", async () => {
    const first = await logIn();
    const second = await logIn(someAddress(), { cookie: first.cookie });
    expect(second.cookie).not.toBe(first.cookie);
    expect([(await get("/me", first)).status, (await get("/me", second)).status]).toEqual([401, 200]);
  });

  it("takes no cookie that somebody else has chosen", async () => {
    const planted = `berth=lgn_${"A".repeat(43)}`;
    const login = await logIn(someAddress(), { cookie: planted });
    expect(login.cookie).not.toContain("AAAA");
    expect((await rawRequest({ url: at("/me"), headers: { cookie: planted } })).status).toBe(401);
  });

  it("goes from one organization of the person to another, and to no other one", async () => {
    const { a, b } = world();
    const login = await logIn();
    const here = await get("/login", login);
    const [from, to] = here.text.includes(`"org":{"id":"${a.orgId}"`) ? [a, b] : [b, a];
    const move = (org: string) =>
      rawRequest({
        url: at("/login/org"),
        method: "POST",
        body: { org },
        headers: { cookie: login.cookie, "x-csrf-token": login.csrf, origin: world().url },
      });
    expect((await get("/me", login)).text).toContain(from.orgId);
    expect((await move("gamma")).code).toBe("org_not_found");
    expect((await move(to.slug)).status).toBe(200);
    expect((await get("/me", login)).text).toContain(to.orgId);
    expect((await get("/me", login, { "x-berth-org": from.slug })).text).toContain(from.orgId);
    const theirs = await get("/me", login, { "x-berth-org": "gamma" });
    const nobodys = await get("/me", login, { "x-berth-org": "zeta" });
    expect(without(theirs)).toEqual([404, String(without(nobodys)[1]).replace("zeta", "gamma")]);
  });
});

describe("AUT-07: guessing", () => {
  it("AUT-07: tells nobody whether there is such an account", async () => {
    const wrong = await tryLogin({ email, password: "wrong password 1" }, someAddress());
    const unknown = await tryLogin(
      { email: "nobody@alpha.example", password: "wrong password 1" },
      someAddress(),
    );
    expect(without(wrong)).toEqual(without(unknown));
    expect([wrong.status, wrong.code]).toEqual([401, "login_refused"]);
  });

  it("AUT-07: is stopped at an address, and the account's owner gets in from another one", async () => {
    const attacker = someAddress();
    for (let i = 0; i < 5; i += 1) {
      expect((await tryLogin({ email, password: `a wrong guess ${i}` }, attacker)).code).toBe(
        "login_refused",
      );
    }
    const stopped = await tryLogin({ email, password }, attacker);
    expect([stopped.status, stopped.code]).toEqual([429, "too_many_attempts"]);
    expect((await tryLogin({ email: email.toUpperCase(), password }, attacker)).code).toBe(
      "too_many_attempts",
    );
    await logIn();
  });

  it("AUT-07: of many accounts from one address is stopped too", async () => {
    const attacker = someAddress();
    const codes = new Set<string>();
    for (let i = 0; i < 60; i += 1) {
      const reply = await tryLogin({ email: `n${i}@alpha.example`, password: "a wrong guess" }, attacker);
      codes.add(reply.code);
      if (reply.status === 429) break;
    }
    expect([...codes].at(-1)).toMatch(/^(too_many_attempts|rate_limited)$/);
  });
});

describe("AUT-09: requests that a foreign page makes a browser send", () => {
  it("AUT-09: with a cookie change nothing without the login's token and a page of our own", async () => {
    const login = await logIn();
    const other = await logIn();
    expect((await change(login)).status).toBe(201);
    const forged: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
      "no token": { "x-csrf-token": undefined },
      "an empty token": { "x-csrf-token": "" },
      "another login's token": { "x-csrf-token": other.csrf },
      "the cookie as token": { "x-csrf-token": login.cookie.split(/[=;]/)[1] },
      "a foreign origin": { origin: "https://evil.example" },
      "a null origin": { origin: "null" },
      "a subdomain": { origin: world().url.replace("127.0.0.1", "evil.127.0.0.1") },
      "another port": { origin: "http://127.0.0.1:1" },
      "another scheme": { origin: world().url.replace("http:", "https:") },
      "our origin as a prefix": { origin: `${world().url}.evil.example` },
      "no origin": { origin: undefined },
      "no origin, from another site": { origin: undefined, "sec-fetch-site": "cross-site" },
      "no origin, from a subdomain": { origin: undefined, "sec-fetch-site": "same-site" },
    };
    for (const [name, headers] of Object.entries(forged)) {
      const reply = await change(login, headers);
      expect([name, reply.status, reply.code]).toEqual([name, 403, "csrf_failed"]);
    }
    expect((await change(login, { origin: undefined, "sec-fetch-site": "same-origin" })).status).toBe(201);
    expect((await change(login, { origin: "https://console.example" })).status).toBe(201);
  });

  it("AUT-09: read nothing: no page but those on the list is told that it may", async () => {
    const login = await logIn();
    for (const origin of ["https://evil.example", "null", "https://sub.console.example"]) {
      const response = await fetch(at("/me"), { headers: { cookie: login.cookie, origin } });
      expect([origin, response.headers.get("access-control-allow-origin")]).toEqual([origin, null]);
      const asked = { origin, "access-control-request-method": "POST" };
      const preflight = await fetch(at("/tickets"), { method: "OPTIONS", headers: asked });
      expect([origin, preflight.headers.get("access-control-allow-origin")]).toEqual([origin, null]);
    }
    const allowed = await fetch(at("/me"), {
      headers: { cookie: login.cookie, origin: "https://console.example" },
    });
    expect(allowed.headers.get("access-control-allow-origin")).toBe("https://console.example");
  });

  it("AUT-09: do not log somebody in as somebody else", async () => {
    const reply = await tryLogin({ email, password }, someAddress(), { origin: "https://evil.example" });
    expect([reply.status, reply.code, reply.cookies]).toEqual([403, "csrf_failed", []]);
  });
});

describe("a login whose person", () => {
  it("is suspended opens nothing within seconds", async () => {
    const login = await logIn();
    const { a, b, store } = world();
    const audit = () => entry("member.updated");
    const setStatus = (status: "suspended" | "active") =>
      Promise.all(
        [a, b].map(({ orgId }) => store.org(orgId).identity.updateMember({ userId, status, audit: audit() })),
      );
    await setStatus("suspended");
    await vi.waitFor(async () => expect((await get("/me", login)).status).toBe(401), { timeout: 5_000 });
    expect((await tryLogin({ email, password }, someAddress())).code).toBe("login_refused");
    await setStatus("active");
  });
});
