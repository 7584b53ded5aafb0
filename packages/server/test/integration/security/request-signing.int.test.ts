import { createHash, createHmac, randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { rawRequest } from "../../support/identity/raw-request.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

const world = useTwoOrgs();

interface Signer {
  readonly id: string;
  readonly prefix: string;
  readonly signingSecret: string | null;
}

function newKey(owner: string, maker = world().a.people.owner.key): Promise<Signer> {
  const ask = { method: "POST", path: "/api/v1/api-keys", body: { name: "signs", owner } };
  const made = world().call(maker, ask);
  return made.then(({ text }) => JSON.parse(text) as Signer);
}

let signer: Signer;
beforeAll(async () => {
  signer = await newKey(world().a.service.id);
});

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

interface Signed {
  readonly method?: string;
  readonly path?: string;
  readonly body?: unknown;
  readonly org?: string;
  readonly seconds?: number;
  readonly nonce?: string;
  readonly secret?: string;
  readonly prefix?: string;
}

/** As the documentation says that a program does it. */
function authorization(signed: Signed = {}): string {
  const { method = "GET", path = "/api/v1/me", body, org = "", secret, prefix } = signed;
  const seconds = signed.seconds ?? Math.floor(Date.now() / 1_000);
  const nonce = signed.nonce ?? randomBytes(16).toString("base64url");
  const hash = sha256(body === undefined ? "" : JSON.stringify(body));
  const text = ["v1", method, path, org, seconds, nonce, hash].join("\n");
  const mac = createHmac("sha256", secret ?? signer.signingSecret ?? "")
    .update(text)
    .digest("hex");
  return `Berth-HMAC-SHA256 key=${prefix ?? signer.prefix},t=${seconds},nonce=${nonce},body=${hash},v1=${mac}`;
}

const send = (header: string, { method = "GET", path = "/api/v1/me", body, org }: Signed = {}) =>
  rawRequest({
    url: `${world().url}${path}`,
    method,
    body,
    headers: { authorization: header, ...(org !== undefined && { "x-berth-org": org }) },
  });
const creation = { method: "POST", path: "/api/v1/sessions", body: { agent: "helper" } };

describe("a signed request", () => {
  it("is its service account's, with and without a body", async () => {
    const me = await send(authorization());
    expect([me.status, me.text]).toEqual([200, expect.stringContaining(world().a.service.id)]);
    expect((await send(authorization(creation), creation)).status).toBe(201);
    const asked = { path: "/api/v1/sessions?limit=1" };
    expect((await send(authorization(asked), asked)).status).toBe(200);
    const named = { org: "alpha" };
    expect((await send(authorization(named), named)).status).toBe(200);
  });

  const other = { agent: "helper", title: "another" };
  const attacks: Readonly<Record<string, () => readonly [header: string, sent?: Signed]>> = {
    "another body": () => [authorization(creation), { ...creation, body: other }],
    "no body": () => [authorization(creation), { ...creation, body: undefined }],
    "a body of a request that has none": () => [authorization({ body: other })],
    "another path": () => [authorization({ path: "/api/v1/agents" })],
    "another query": () => [
      authorization({ path: "/api/v1/sessions?limit=1" }),
      { path: "/api/v1/sessions?limit=2" },
    ],
    "another method": () => [authorization({ ...creation, method: "PUT" }), creation],
    "an organization that was not signed": () => [authorization(), { org: "alpha" }],
    "a time of two minutes ago": () => [authorization({ seconds: Math.floor(Date.now() / 1_000) - 120 })],
    "a time to come": () => [authorization({ seconds: Math.floor(Date.now() / 1_000) + 120 })],
    "another secret": () => [authorization({ secret: "sgn_another" })],
    "a key that there is not": () => [authorization({ prefix: "brt_000000000000" })],
    "a changed nonce": () => [authorization({ nonce: "a".repeat(22) }).replace("nonce=a", "nonce=b")],
    "a short nonce": () => [authorization({ nonce: "short" })],
    "less than all": () => [authorization().replace(/,v1=.*/, "")],
    "more than all": () => [`${authorization()},v1=${"0".repeat(64)}`],
    nothing: () => ["Berth-HMAC-SHA256 "],
  };
  it.each(Object.keys(attacks))("is nobody's with %s", async (name) => {
    const [header, sent] = attacks[name]?.() ?? [""];
    const reply = await send(header, sent);
    expect([reply.status, reply.code]).toEqual([401, "unauthenticated"]);
  });

  it("is done once, however often it is sent", async () => {
    const header = authorization(creation);
    const replies = await Promise.all(Array.from({ length: 5 }, async () => send(header, creation)));
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 401, 401, 401, 401]);
  });

  it("opens no other organization, and nothing any more when its key is revoked", async () => {
    const abroad = { org: "beta" };
    expect((await send(authorization(abroad), abroad)).code).toBe("org_not_found");
    const spoilt = await newKey(world().a.service.id);
    const signed = () => authorization({ secret: spoilt.signingSecret ?? "", prefix: spoilt.prefix });
    expect((await send(signed())).status).toBe(200);
    const path = `/api/v1/api-keys/${spoilt.id}`;
    await world().call(world().a.people.owner.key, { method: "DELETE", path });
    expect((await send(signed())).status).toBe(401);
  });

  it("is not for keys of people", async () => {
    const { id, key } = world().a.people.admin;
    expect(await newKey(id, key)).toMatchObject({ owner: id, signingSecret: null });
  });

  it("beside another credential is refused", async () => {
    const headers = { authorization: authorization(), "x-api-key": world().a.people.member.key };
    expect((await rawRequest({ url: `${world().url}/api/v1/me`, headers })).status).toBe(401);
  });
});
