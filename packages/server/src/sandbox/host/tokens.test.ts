import { generateKeyPairSync } from "node:crypto";
import { exportJWK, SignJWT, UnsecuredJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRemoteRig, type RemoteRig } from "../../../test/support/sandbox/remote-rig.ts";
import { newKeyPair, readPrivateKey, type TokenKey } from "../protocol/keys.ts";
import { deployment, makeSandbox, type Made, policy } from "../sandbox-harness.conformance.ts";

let rig: RemoteRig;
let key: TokenKey;
let made: Made;
beforeEach(async () => {
  rig = await createRemoteRig();
  key = await readPrivateKey(rig.keys.privateKey);
  made = await makeSandbox(rig);
});
afterEach(() => rig.close());

interface Wish {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: Parameters<SignJWT["sign"]>[0];
}

/** A good token for the sandbox, but for what a test changes; what is undefined is left out. */
async function token({ header = {}, claims = {}, key: signer = key.key }: Wish = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const payload = {
    iss: "berth",
    aud: `sandbox-host:${rig.host}`,
    sub: deployment,
    on: made.ref.id,
    verbs: ["look", "manage", "read", "write", "exec", "ports"],
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 60,
    ...claims,
  };
  const known = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
  return await new SignJWT(known)
    .setProtectedHeader({ alg: "EdDSA", kid: key.id, typ: "berth-sandbox+jwt", ...header })
    .sign(signer);
}

async function call(
  name: string,
  bearer: string | null,
  { args = {}, id = made.ref.id, place = "sandbox" } = {},
): Promise<{ status: number; text: string }> {
  const path = place === "host" ? `host/${name}` : `${place}/${id}/${name}`;
  const response = await fetch(`${rig.url}/v1/${path}`, {
    method: "POST",
    headers: {
      "berth-sandbox-protocol": "1",
      ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
    },
    body: `${JSON.stringify(args)}\n`,
  });
  return { status: response.status, text: await response.text() };
}

describe("tokens of a sandbox host", () => {
  it("takes a good one", async () => {
    expect(await call("get", await token())).toMatchObject({ status: 200 });
  });

  it("AUT-01 takes none that is unsigned, signed otherwise, or names keys of its own", async () => {
    const other = generateKeyPairSync("ed25519");
    const jwk = await exportJWK(other.publicKey);
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey;
    const secret = new TextEncoder().encode(rig.keys.publicKey);
    const unsigned = new UnsecuredJWT({ sub: deployment, on: made.ref.id, verbs: ["look"] })
      .setIssuer("berth")
      .setAudience(`sandbox-host:${rig.host}`)
      .setExpirationTime("1m")
      .encode();
    const [head = "", body = "", signature = ""] = (await token()).split(".");
    const forged = (header: object) =>
      `${Buffer.from(JSON.stringify(header)).toString("base64url")}.${body}.${signature}`;
    const tokens = [
      unsigned,
      ...["none", "None", "nOnE", "HS256"].map((alg) =>
        forged({ alg, kid: key.id, typ: "berth-sandbox+jwt" }),
      ),
      await token({ key: secret, header: { alg: "HS256" } }),
      await token({ key: rsa, header: { alg: "RS256" } }),
      await token({ key: other.privateKey }),
      await token({ key: other.privateKey, header: { jwk } }),
      await token({ key: other.privateKey, header: { jku: "http://127.0.0.1:1/keys" } }),
      await token({ header: { kid: "../../etc/passwd" } }),
      await token({ header: { kid: undefined } }),
      await token({ header: { typ: "JWT" } }),
      await token({ header: { typ: undefined } }),
      `${head}.${body}.`,
      `${head}.${body}.${"A".repeat(86)}`,
      "x",
      "a".repeat(9_000),
    ];
    for (const bad of tokens)
      expect([bad.slice(0, 60), (await call("get", bad)).status]).toEqual([bad.slice(0, 60), 401]);
    expect((await call("get", null)).status).toBe(401);
  });

  it("AUT-02 takes none of another time, host, issuer, nor without what it must say", async () => {
    const now = Math.floor(Date.now() / 1_000);
    const wrong = [
      { exp: now - 10 },
      { exp: undefined },
      { exp: now + 3_600 },
      { iat: now - 400, exp: now - 100 },
      { iat: now + 60, exp: now + 120 },
      { iat: undefined },
      { nbf: now + 60 },
      { iss: "somebody" },
      { iss: undefined },
      { aud: "sandbox-host:host-b" },
      { aud: undefined },
      { sub: undefined },
      { sub: "../x" },
      { jti: undefined },
      { jti: "short" },
      { on: undefined },
      { on: "**" },
      { verbs: undefined },
      { verbs: [] },
      { verbs: ["everything"] },
    ];
    for (const claims of wrong) {
      expect([claims, (await call("get", await token({ claims }))).status]).toEqual([claims, 401]);
    }
  });

  it("answers nothing to who has no token: not what there is, not what there is not", async () => {
    const answers = new Set<string>();
    for (const name of ["get", "create", "nothing"]) answers.add((await call(name, "x")).text);
    answers.add((await call("heartbeat", "x", { place: "host" })).text);
    answers.add((await call("get", "x", { id: "sbx_zzzzzzzzzzzzzzzzzzzzzzzzzz" })).text);
    expect(answers.size).toBe(1);
    // The body is not read: one that would be too large is not even looked at.
    const response = await fetch(`${rig.url}/v1/host/list`, {
      method: "POST",
      body: new Uint8Array(40 * 1_048_576),
    }).catch(() => ({ status: 401 }));
    expect(response.status).toBe(401);
    expect(await (await fetch(`${rig.url}/healthz`)).text()).toBe("ok\n");
  });

  it("shows one sandbox's token no other sandbox, workspace or host", async () => {
    const other = await makeSandbox(rig);
    const mine = await token();
    for (const name of ["get", "renew", "destroy", "exec", "stat", "processes", "connect"]) {
      expect([name, (await call(name, mine, { id: other.ref.id })).status]).toEqual([name, 404]);
    }
    expect((await call("usage", mine, { place: "workspace", id: made.workspaceId })).status).toBe(404);
    expect((await call("list", mine, { place: "host", args: { deployment } })).status).toBe(403);
    const missing = await call("get", mine, { id: "sbx_zzzzzzzzzzzzzzzzzzzzzzzzzz" });
    expect(missing).toEqual(await call("get", mine, { id: other.ref.id }));
  });

  it("SCH-05 shows one deployment nothing of another, whatever its tokens are for", async () => {
    const foreign = (on: string) => token({ claims: { sub: "deployment-b", on } });
    for (const name of ["get", "renew", "destroy", "exec", "stat", "connect", "cancel"]) {
      expect([name, (await call(name, await foreign(made.ref.id))).status]).toEqual([name, 404]);
    }
    const place = { place: "workspace", id: made.workspaceId };
    for (const name of ["open", "usage", "delete"]) {
      expect([name, (await call(name, await foreign(made.workspaceId), place)).status]).toEqual([name, 404]);
    }
    const args = { deployment: "deployment-b", diskBytes: 1e6, inodes: 100 };
    expect((await call("make", await foreign(made.workspaceId), { ...place, args })).status).toBe(404);
    const lists = { place: "host", args: { deployment: "deployment-b" } };
    expect((await call("list", await foreign("*"), lists)).text).toBe(
      '{"result":{"items":[],"unreadable":0}}',
    );
    expect((await call("workspaces", await foreign("*"), lists)).text).toBe('{"result":[]}');
    const asked = { place: "host", args: { deployment } };
    for (const name of ["list", "workspaces", "sweep"]) {
      expect((await call(name, await foreign("*"), asked)).status).not.toBe(200);
    }
    expect(await rig.provider.get(made.ref)).not.toBeNull();
  });

  it("SCH-05 tells of egress only with a token for that, and to the deployment whose it is", async () => {
    const ask = async (claims: Readonly<Record<string, unknown>>, whose = deployment) => {
      const args = { deployment: whose, reader: "0".repeat(32) };
      const bearer = await token({ claims: { on: "*", verbs: ["egress"], ...claims } });
      return (await call("egress", bearer, { place: "host", args })).status;
    };
    expect(await ask({})).toBe(200);
    expect(await ask({ sub: "deployment-b" }, "deployment-b")).toBe(200);
    expect(await ask({ sub: "deployment-b" })).toBe(409);
    expect(await ask({ on: made.ref.id })).toBe(403);
    expect(await ask({ verbs: ["look", "manage", "read", "write", "exec", "ports"] })).toBe(403);
  });

  it("allows what a token's verbs say and nothing else", async () => {
    const only = (verb: string) => token({ claims: { verbs: [verb] } });
    expect((await call("get", await only("look"))).status).toBe(200);
    for (const [name, verb] of [
      ["get", "exec"],
      ["exec", "look"],
      ["write", "read"],
      ["read", "write"],
      ["destroy", "look"],
      ["spawn", "manage"],
    ] as const) {
      expect([name, (await call(name, await only(verb))).status]).toEqual([name, 403]);
    }
    const drain = { place: "host" };
    expect(
      (await call("drain", await token({ claims: { on: "*", verbs: ["look", "manage"] } }), drain)).status,
    ).toBe(403);
  });

  it("takes a token once for what may not be repeated, and again for what may", async () => {
    const used = await token();
    const args = { command: "echo x >> runs" };
    expect((await call("spawn", used, { args })).status).toBe(200);
    expect((await call("spawn", used, { args })).status).toBe(401);
    expect((await call("get", used)).status).toBe(200);
    expect((await call("get", used)).status).toBe(200);
    await expect.poll(async () => (await made.sandbox.files.stat("runs"))?.size).toBe(2);
  });

  it("refuses bodies that are too large or not as they must be, and other versions of the protocol", async () => {
    expect((await call("get", await token(), { args: { unknown: 1 } })).status).toBe(422);
    expect((await call("get", await token(), { args: { x: "y".repeat(1_100_000) } })).status).toBe(413);
    const bearer = { authorization: `Bearer ${await token()}` };
    const at = `${rig.url}/v1/sandbox/${made.ref.id}/get`;
    const plain = await fetch(at, { method: "POST", headers: bearer, body: "{}\n" });
    expect(plain.status).toBe(426);
    const headers = { ...bearer, "berth-sandbox-protocol": "1" };
    expect((await fetch(at, { method: "POST", headers, body: "no json\n" })).status).toBe(422);
    expect((await fetch(at, { headers })).status).toBe(404);
    for (const path of [
      "/v1/sandbox/..%2f/get",
      "/v1/sandbox/sbx_a/get",
      "/v1/host/list?x=1",
      "//v1/host/list",
      "/",
    ]) {
      const response = await fetch(`${rig.url}${path}`, { method: "POST", headers, body: "{}\n" });
      expect([path, response.status]).toEqual([path, 404]);
    }
  });

  it("gives P-256 keys the same, and refuses keys that prove less", async () => {
    const pem = (type: "P-256" | "P-384") =>
      generateKeyPairSync("ec", { namedCurve: type })
        .privateKey.export({ type: "pkcs8", format: "pem" })
        .toString();
    expect(await readPrivateKey(pem("P-256"))).toMatchObject({ algorithm: "ES256" });
    await expect(readPrivateKey(pem("P-384"))).rejects.toMatchObject({ code: "key_invalid" });
    await expect(readPrivateKey("hunter2")).rejects.toMatchObject({
      code: "key_invalid",
      message: expect.not.stringContaining("hunter2"),
    });
    expect((await readPrivateKey(newKeyPair().privateKey)).algorithm).toBe("EdDSA");
  });

  it("makes no sandbox where isolation was asked for and is not given", async () => {
    const args = {
      incarnation: "i",
      deployment,
      ttlMs: 60_000,
      template: "test",
      policy,
      isolated: true,
    };
    const id = "sbx_00000000000000000000000009";
    const answer = await call("create", await token({ claims: { on: id } }), { id, args });
    expect(answer).toMatchObject({ status: 503, text: expect.stringContaining("sandbox_unavailable") });
  });
});
