import { describe, expect, it } from "vitest";
import { Secret } from "../lib/secret.ts";
import { createAuthenticator } from "./authenticator.ts";
import type { RequestMethod } from "./method.ts";
import { adminKeyMethod } from "./methods/admin-key.ts";
import type { OrgChoice } from "./org-choice.ts";
import { localPeer } from "./peer.ts";
import { operatorAbroad, operatorPermissions } from "./permissions.ts";
import type { Presented } from "./presented.ts";
import type { Principal } from "./principal.ts";

const key = `brt_${"Kk9_-".repeat(8)}abc`;
const owner = { orgId: "org_1", userId: "usr_1", userName: "owner" };
const orgs: OrgChoice = {
  find: async (id) => (id.startsWith("org_") ? { ...org, id } : null),
  wanted: async ({ header }) => {
    const id = header("x-berth-org");
    return id === null ? null : { ...org, id };
  },
  requireOnly: async () => {},
};
const org = {
  id: "org_1",
  slug: "one",
  name: "One",
  settings: {},
  createdAt: 0,
  updatedAt: 0,
  status: "active",
} as const;

const somebody: Principal = {
  type: "user",
  id: "usr_2",
  name: "Two",
  orgId: "org_1",
  permissions: new Set(),
  credential: { kind: "certificate", id: "c", expiresAt: 500 },
};
/** Offered by the header of its name. */
function method(kind: RequestMethod["kind"], found: Principal | null): RequestMethod {
  return {
    kind,
    isOffered: ({ header }) => header(kind) !== null,
    authenticate: async () => found,
    recheck: async (known) => known,
  };
}

let now = 0;
const authenticator = createAuthenticator({
  methods: {
    tokens: [adminKeyMethod({ adminKey: new Secret(key), owner, orgs })],
    requests: [method("sso_header", null), method("cookie", { ...somebody, id: "usr_cookie" })],
    fallback: method("certificate", somebody),
  },
  clock: { now: () => now },
});

function presented(headers: Readonly<Record<string, string>>): Presented {
  return {
    header: (name) => headers[name] ?? null,
    peer: localPeer,
    method: "GET",
    target: "/",
    origin: null,
  };
}
const authenticate = (headers: Readonly<Record<string, string>>) =>
  authenticator.authenticate(presented(headers));
const refusal = (headers: Readonly<Record<string, string>>) =>
  authenticate(headers).catch((thrown: unknown) => thrown);

describe("createAuthenticator", () => {
  it.each([
    ["a bearer token", { authorization: `Bearer ${key}` }],
    ["a bearer token, the scheme in lower case", { authorization: `bearer  ${key} ` }],
    ["X-API-Key", { "x-api-key": key }],
    ["a token of a connection that has a certificate", { "x-api-key": key, certificate: "it" }],
  ])("knows the key as %s", async (_, headers) => {
    expect(await authenticate(headers)).toMatchObject({ id: "usr_1", credential: { kind: "admin_key" } });
  });

  it.each([
    ["nothing", {}],
    ["two credentials, though both are right", { authorization: `Bearer ${key}`, "x-api-key": key }],
    ["a right and a wrong one", { authorization: `Bearer ${key}`, "x-api-key": "wrong" }],
    ["a key and a cookie", { "x-api-key": key, cookie: "it" }],
    ["a key and a proxy's header", { "x-api-key": key, sso_header: "it" }],
    ["a cookie and a proxy's header", { cookie: "it", sso_header: "it" }],
    ["what a method refuses", { sso_header: "it" }],
    ["what a method refuses, with a certificate", { sso_header: "it", certificate: "it" }],
    ["another scheme", { authorization: `Basic ${key}` }],
    ["no scheme", { authorization: key }],
    ["no key", { authorization: "Bearer " }],
    ["an empty key", { "x-api-key": "" }],
    ["an empty key, with a certificate", { "x-api-key": "", certificate: "it" }],
    ["the header twice", { authorization: `Bearer ${key}, Bearer ${key}` }],
    ["two keys", { authorization: `Bearer ${key} ${key}` }],
    ["another key", { authorization: `Bearer brt_${"x".repeat(43)}` }],
    ["the key's beginning", { authorization: `Bearer ${key.slice(0, -1)}` }],
    ["the key and more", { authorization: `Bearer ${key}x` }],
    ["another case", { authorization: `Bearer ${key.toUpperCase()}` }],
    ["a space around it", { "x-api-key": ` ${key}` }],
    ["a NUL after it", { "x-api-key": `${key}\u0000` }],
    ["a huge one", { "x-api-key": key.repeat(10_000) }],
  ])("refuses %s", async (_, headers) => {
    const error = await refusal(headers);
    expect(error).toMatchObject({
      code: "unauthenticated",
      message: expect.stringContaining("Authorization: Bearer"),
    });
    expect(String(error)).not.toContain(key);
  });

  it("takes a certificate when nothing else is offered, and nothing that has expired", async () => {
    now = 499;
    expect(await authenticate({ certificate: "it" })).toBe(somebody);
    expect(await authenticator.recheck(somebody)).toBe(somebody);
    now = 500;
    expect(await refusal({ certificate: "it" })).toMatchObject({ code: "unauthenticated" });
    expect(await authenticator.recheck(somebody)).toBeNull();
  });

  it("looks again with the method that a principal came by, and knows none that came by no method", async () => {
    now = 0;
    const jwt = { ...somebody, credential: { kind: "jwt", id: "j", expiresAt: null } } as const;
    expect(await authenticator.recheck(jwt)).toBeNull();
  });
});

describe("the admin key", () => {
  it("is an owner's at home and an operator's abroad", async () => {
    expect((await authenticate({ "x-api-key": key })).permissions).toBe(operatorPermissions);
    expect((await authenticate({ "x-api-key": key, "x-berth-org": "org_1" })).permissions).toBe(
      operatorPermissions,
    );
    const abroad = await authenticate({ "x-api-key": key, "x-berth-org": "org_2" });
    expect(abroad).toMatchObject({ id: "usr_1", orgId: "org_2", permissions: operatorAbroad });
    expect(await authenticator.recheck(abroad)).toEqual(abroad);
    expect(await authenticator.recheck({ ...abroad, orgId: "gone" })).toBeNull();
  });
});
