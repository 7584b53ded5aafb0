import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { rawRequest } from "../../support/identity/raw-request.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

const secret = "of-the-proxy-0123456789-abcdefghijklmn";
/** The proxy of these tests; the rest of this machine is not trusted. */
const proxy = "127.0.4.1";
const env = {
  BERTH_SSO_SECRET: secret,
  BERTH_SSO_PROXIES: proxy,
  BERTH_SSO_ORG: "alpha",
  BERTH_SSO_PROVISION: "true",
  BERTH_SSO_DEFAULT_ROLE: "member",
};
const world = useTwoOrgs({ env });
const me = () => `${world().url}/api/v1/me`;

describe("AUT-03: credentials where they do not belong", () => {
  it("AUT-03: are not taken from the address", async () => {
    const { key } = world().a.people.member;
    for (const name of ["access_token", "token", "api_key", "apiKey", "key", "authorization", "ticket"]) {
      const { status, code } = await rawRequest({ url: `${me()}?${name}=${encodeURIComponent(key)}` });
      expect([name, status, code]).toEqual([name, 401, "unauthenticated"]);
    }
  });

  it("AUT-03: are not taken from other headers, with other schemes, or from a body", async () => {
    const { key } = world().a.people.member;
    const basic = Buffer.from(`x:${key}`).toString("base64");
    const attempts = [
      { referer: `https://berth.example/?key=${key}` },
      { authorization: `Basic ${basic}` },
      { authorization: `Token ${key}` },
      { authorization: key },
      { "proxy-authorization": `Bearer ${key}` },
      { cookie: `berth=${key}` },
      { "x-auth-token": key },
    ];
    for (const headers of attempts) {
      const reply = await rawRequest({ url: me(), headers });
      expect([headers, reply.status]).toEqual([headers, 401]);
    }
    const inBody = { url: `${world().url}/api/v1/sessions`, method: "POST", body: { agent: "helper", key } };
    expect((await rawRequest(inBody)).status).toBe(401);
  });

  it("AUT-03: are refused when there are two, though both be good", async () => {
    const { key } = world().a.people.member;
    const other = world().a.people.viewer.key;
    const twice = [
      { authorization: [`Bearer ${key}`, `Bearer ${key}`] },
      { authorization: [`Bearer ${key}`, `Bearer ${other}`] },
      { authorization: `Bearer ${key}`, "x-api-key": key },
      { "x-api-key": [key, other] },
      { authorization: `Bearer ${key}`, cookie: `berth=lgn_${"a".repeat(43)}` },
    ];
    for (const headers of twice) {
      const given = headers as unknown as Record<string, string | string[]>;
      const reply = await rawRequest({ url: me(), headers: given });
      // A header that comes twice is refused as a request, before anybody looks at who sends it.
      expect([400, 401]).toContain(reply.status);
    }
    expect((await rawRequest({ url: me(), headers: { authorization: `Bearer ${key}` } })).status).toBe(200);
  });

  it("AUT-03: stand in no log", () => {
    expect(world().logs()).toContain("request answered");
    expect(world().canaries.in(world().logs())).toEqual([]);
  });
});

const dora = { userId: "dora", email: "dora@alpha.example", name: "Dora" };
const now = () => Math.floor(Date.now() / 1_000);

function signed(info: unknown, at = now(), key = secret): Record<string, string> {
  const value = typeof info === "string" ? info : JSON.stringify(info);
  const mac = createHmac("sha256", key).update(`${at}.${value}`).digest("hex");
  return { "x-user-info": value, "x-user-info-signature": `t=${at},v1=${mac}` };
}

const asProxy = (headers: Readonly<Record<string, string | readonly string[]>>, from = proxy) =>
  rawRequest({ url: me(), headers, from });

describe("AUT-09: a page that makes a browser behind the proxy send something", () => {
  const send = (headers: Readonly<Record<string, string>>) =>
    rawRequest({
      url: `${world().url}/api/v1/tickets`,
      method: "POST",
      headers: { ...signed(dora), ...headers },
      from: proxy,
    });
  it("AUT-09: changes nothing, though the proxy adds who it is", async () => {
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ]) {
      expect(await send(headers)).toMatchObject({ status: 403, code: "csrf_failed" });
    }
    expect((await send({ origin: world().url })).status).toBe(201);
    expect((await send({})).status).toBe(201);
  });
});

describe("AUT-04: X-User-Info", () => {
  it("AUT-04: of the proxy, signed, is who it names", async () => {
    const reply = await asProxy(signed(dora));
    expect([reply.status, reply.text]).toEqual([200, expect.stringContaining(world().a.orgId)]);
    expect((await asProxy(signed(dora))).text).toBe(reply.text);
    const there = await asProxy(signed({ ...dora, userId: "of beta", organization: "beta" }));
    expect(there.text).toContain(world().b.orgId);
  });

  it("AUT-04: of anybody else is refused, whatever else it says", async () => {
    const { key } = world().a.people.member;
    const forwarded = { "x-forwarded-for": proxy, "x-real-ip": proxy, forwarded: `for=${proxy}` };
    const others = [
      signed(dora),
      { ...signed(dora), ...forwarded },
      { "x-user-info": JSON.stringify(dora) },
      { ...signed(dora), authorization: `Bearer ${key}` },
      { "x-user-info": "", authorization: `Bearer ${key}` },
    ];
    for (const headers of others) expect((await asProxy(headers, "127.0.0.1")).status).toBe(401);
  });

  const value = JSON.stringify(dora);
  const bad: Readonly<Record<string, () => Record<string, string | string[]>>> = {
    "no signature": () => ({ "x-user-info": value }),
    "an empty signature": () => ({ "x-user-info": value, "x-user-info-signature": "" }),
    "another secret": () => signed(dora, now(), "another-secret-0123456789-abcdefghi"),
    "another's signature": () => ({ ...signed({ ...dora, userId: "eve" }), "x-user-info": value }),
    "a signature of two minutes ago": () => signed(dora, now() - 120),
    "a signature of the future": () => signed(dora, now() + 120),
    "a changed time": () => {
      const { "x-user-info-signature": signature = "", ...rest } = signed(dora, now() - 120);
      return { ...rest, "x-user-info-signature": signature.replace(/t=\d+/, `t=${now()}`) };
    },
    "the header twice": () => ({ ...signed(dora), "x-user-info": [value, value] }),
    "a JWT of somebody else beside it": () => ({ ...signed(dora), authorization: "Bearer eyJh.eyJz.c2ln" }),
    "a key beside it": () => ({ ...signed(dora), "x-api-key": world().a.people.owner.key }),
    "no JSON": () => signed("dora"),
    "a list": () => signed([dora]),
    "more than there is": () => signed({ ...dora, role: "owner" }),
    "no user": () => signed({ email: dora.email }),
    "an empty user": () => signed({ ...dora, userId: "" }),
    "an organization that is not there": () => signed({ ...dora, organization: "zeta" }),
    "9 kB": () => signed({ ...dora, name: "x".repeat(9_000) }),
  };
  it.each(Object.keys(bad))("AUT-04: of the proxy with %s is refused", async (name) => {
    expect([400, 401]).toContain((await asProxy(bad[name]?.() ?? {})).status);
  });

  it("AUT-04: of 100 kB never reaches the application", async () => {
    const reply = await asProxy(signed({ ...dora, name: "x".repeat(100_000) })).catch(() => null);
    expect(reply?.status ?? 431).toBe(431);
  });

  it("AUT-04: headers that other proxies use name nobody", async () => {
    for (const name of [
      "x-org",
      "x-roles",
      "x-forwarded-user",
      "x-remote-user",
      "x-client-cert",
      "x-ssl-client-verify",
    ]) {
      expect((await asProxy({ [name]: "owner" })).status).toBe(401);
      const { key } = world().a.people.viewer;
      const withKey = await asProxy({ [name]: world().b.orgId, "x-api-key": key });
      expect(withKey.text).toContain(world().a.people.viewer.id);
    }
  });
});
