import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { beforeAll, describe, expect, it } from "vitest";
import { type Authority, type Certificate, createAuthority } from "../../support/network/certificates.ts";
import { adminKey, type TlsProgram, useTlsProgram } from "../../support/network/tls-program.ts";

const start = useTlsProgram();
const operator = { "x-api-key": adminKey };
const spiffe = "spiffe://berth.test/worker";

let authority: Authority;
let other: Authority;
let worker: Certificate;
let expired: Certificate;
let stranger: Certificate;
let revoked: Certificate;
let foreign: Certificate;

beforeAll(async () => {
  authority = await createAuthority("The clients' authority");
  other = await createAuthority("Somebody else's authority");
  const named = { names: [{ type: "url", value: spiffe }] } as const;
  worker = await authority.issue("worker", named);
  expired = await authority.issue("worker", { ...named, validForMs: -3_600_000 });
  revoked = await authority.issue("worker", named);
  stranger = await authority.issue("worker", { names: [{ type: "url", value: `${spiffe}2` }] });
  foreign = await other.issue("worker", named);
});

/** A server that knows the worker's certificate, and has revoked one with the same name. */
async function startWith(clientAuth: "optional" | "required"): Promise<TlsProgram> {
  const crl = await authority.revocations(revoked);
  const server = await start({ BERTH_TLS_CLIENT_AUTH: clientAuth }, { ca: authority.cert, crl });
  const body = { name: "worker", certificates: [{ kind: "name", value: `URI:${spiffe}` }] };
  const made = await server.ask({
    path: "/api/v1/service-accounts",
    method: "POST",
    headers: operator,
    body,
    client: worker,
  });
  expect(made).toMatchObject({ status: 201 });
  return server;
}

describe("AUT-08: a client certificate", () => {
  it("stands for its service account, and none that is not good stands for anybody", async () => {
    const { ask } = await startWith("optional");
    const mine = await ask({ client: worker });
    expect({ ...mine, body: JSON.parse(mine.body) as unknown }).toMatchObject({
      status: 200,
      body: { principal: { type: "service", name: "worker" } },
    });
    const clients = { none: null, expired, revoked, stranger, foreign };
    for (const [what, client] of Object.entries(clients)) {
      expect({ what, status: (await ask({ client })).status }).toEqual({ what, status: 401 });
    }
  });

  it("opens the door at all when one is required", async () => {
    const { ask } = await startWith("required");
    expect((await ask({ client: worker })).status).toBe(200);
    for (const [what, client] of Object.entries({ none: null, expired, revoked, foreign })) {
      const { status } = await ask({ client, headers: operator });
      expect({ what, broken: typeof status === "string" }).toEqual({ what, broken: true });
    }
    expect((await ask({ client: stranger })).status).toBe(401);
  });

  it("comes from the socket and from no header", async () => {
    const { ask } = await startWith("optional");
    const headers = {
      "x-client-cert": encodeURIComponent(worker.cert),
      "x-ssl-client-cert": encodeURIComponent(worker.cert),
      "x-ssl-client-verify": "SUCCESS",
      "x-ssl-client-s-dn": "CN=worker",
      "x-forwarded-client-cert": `URI=${spiffe}`,
      "client-cert": `:${Buffer.from(worker.cert).toString("base64")}:`,
    };
    expect((await ask({ headers })).status).toBe(401);
    expect((await ask({ headers, client: stranger })).status).toBe(401);
  });

  it("is not counted twice beside a key", async () => {
    const { ask } = await startWith("optional");
    const { status, body } = await ask({ client: worker, headers: operator });
    expect({ status, body: JSON.parse(body) as unknown }).toMatchObject({
      status: 200,
      body: { principal: { type: "user" } },
    });
  });
});

describe("TLS", () => {
  it("speaks no old version, and nothing without TLS", async () => {
    const { ask, port } = await start();
    expect((await ask({ headers: operator, maxVersion: "TLSv1.2" })).status).toBe(200);
    expect((await ask({ headers: operator, minVersion: "TLSv1", maxVersion: "TLSv1.1" })).status).toEqual(
      expect.any(String),
    );
    const plain = connect({ port, host: "127.0.0.1" });
    plain.on("error", () => {});
    plain.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    const answer = await new Promise<string>((resolve) => {
      let text = "";
      plain.on("data", (bytes) => (text += bytes.toString("latin1")));
      plain.on("close", () => resolve(text));
    });
    expect(answer).not.toContain("HTTP/1.1 200");
  });

  it("tells browsers to come in no other way", async () => {
    const { port, authority: own } = await start();
    const socket = connectTls({ port, host: "127.0.0.1", servername: "localhost", ca: own.cert });
    socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let text = "";
    for await (const bytes of socket) text += String(bytes);
    expect(text).toMatch(/^strict-transport-security: max-age=31536000\r$/m);
  });
});

describe("a reload of the TLS files", () => {
  it("takes a new certificate for new connections and drops no old one", async () => {
    const { ask, write, authority: own, port, program } = await start();
    const open = connectTls({ port, host: "127.0.0.1", servername: "localhost", ca: own.cert });
    const before = await new Promise<string>((resolve) =>
      open.once("secureConnect", () => resolve(open.getPeerCertificate().serialNumber)),
    );
    const next = await own.issue("berth", {
      names: [{ type: "dns", value: "localhost" }],
      serialNumber: "7f",
    });
    await Promise.all([write("cert", next.cert), write("key", next.key)]);
    await program.reload?.();
    const fresh = connectTls({ port, host: "127.0.0.1", servername: "localhost", ca: own.cert });
    const after = await new Promise<string>((resolve) =>
      fresh.once("secureConnect", () => resolve(fresh.getPeerCertificate().serialNumber)),
    );
    fresh.destroy();
    expect([before === "7F", after]).toEqual([false, "7F"]);
    open.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let text = "";
    for await (const bytes of open) text += String(bytes);
    expect(text).toContain("HTTP/1.1 200");
    expect((await ask({ headers: operator })).status).toBe(200);
  });

  it("keeps the old files when the new ones do not work", async () => {
    const { ask, write, authority: own, program } = await start();
    const next = await own.issue("berth");
    const broken: readonly (readonly ["cert" | "key", string])[] = [
      ["cert", "no certificate"],
      ["key", next.key],
    ];
    for (const [file, pem] of broken) {
      await write(file, pem);
      await program.reload?.();
      expect((await ask({ headers: operator })).status).toBe(200);
    }
  });

  it("lets in nobody whose certificate was revoked meanwhile, also not on an open connection", async () => {
    const { ask, write, program, port, authority: own } = await startWith("optional");
    const { cert, key } = worker;
    const open = connectTls({ port, host: "127.0.0.1", servername: "localhost", ca: own.cert, cert, key });
    const closed = new Promise<void>((resolve) => open.once("close", () => resolve()));
    open.write("GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const first = await new Promise<string>((resolve) =>
      open.once("data", (bytes) => resolve(String(bytes))),
    );
    expect(first).toContain("HTTP/1.1 200");
    await write("crl", await authority.revocations(revoked, worker));
    await program.reload?.();
    await closed;
    expect((await ask({ client: worker })).status).toBe(401);
  });
});

describe("a server whose TLS cannot work", () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ["without its authority", { BERTH_TLS_CLIENT_AUTH: "required" }, /tlsClientCa/],
    ["without a key", { BERTH_TLS_KEY: "" }, /both of them/],
    ["with a file that is not there", { BERTH_TLS_CERT: "/nowhere/cert.pem" }, /tlsCert names .*ENOENT/],
  ])("does not start %s, and says why", async (_, env, why) => {
    await expect(start(env)).rejects.toMatchObject({
      code: "tls_invalid",
      message: expect.stringMatching(why),
    });
  });
});
