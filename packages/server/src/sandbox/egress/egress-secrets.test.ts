import { createServer as createTls } from "node:https";
import { connect as connectTls } from "node:tls";
import { describe, expect, it } from "vitest";
import { createAuthority } from "../../../test/support/network/certificates.ts";
import { connectTo, get, openUpstream } from "../../../test/support/sandbox/egress-rig.ts";
import { useEgress } from "../../../test/support/sandbox/use-egress.ts";
import type { EgressSecret } from "../sandbox.ts";

const { upstream, rigOf, onEnd } = useEgress();

const canary = "canary-7Zr2+w/9Q=&x";
const secret: EgressSecret = { placeholder: "brt_placeholder_0123456789abcdef", value: canary };
const other: EgressSecret = { placeholder: "brt_placeholder_fedcba9876543210", value: "another-canary-55" };
const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

async function tlsUpstream(name = "a.test") {
  const authority = await createAuthority("test");
  const { cert, key } = await authority.issue(name, { names: [{ type: "dns", value: name }] });
  const server = await openUpstream(createTls({ cert, key }));
  onEnd(server.close);
  return { ...server, authorities: authority.cert };
}

describe("secrets at egress", () => {
  it("take their placeholders' places on the way to their host, over TLS", async () => {
    const { port, seen, authorities } = await tlsUpstream();
    const allow = [{ host: "a.test", ports: [port], secrets: [secret] }];
    const { ask, decisions } = await rigOf({ allow, authorities, allowPrivate: ["127.0.0.0/8"] });
    const { placeholder } = secret;
    const headers = [
      `Authorization: Bearer ${placeholder}`,
      `X-Api-Key: ${placeholder}`,
      `X-Basic: ${basic(`user:${placeholder}`)}`,
    ];
    const answer = await ask(get(`http://a.test:${port}/${placeholder}?q=${placeholder}`, headers));
    expect(answer).toContain("hello from");
    expect(seen[0]?.headers).toMatchObject({
      host: `a.test:${port}`,
      authorization: `Bearer ${canary}`,
      "x-api-key": canary,
      "x-basic": basic(`user:${canary}`),
    });
    // Only headers: addresses are written down in too many places.
    expect(seen[0]?.url).toBe(`/${placeholder}?q=${placeholder}`);
    expect(JSON.stringify(decisions) + answer).not.toContain(canary);
  });

  it("go nowhere when the certificate is not the host's", async () => {
    const { port, seen, authorities } = await tlsUpstream("b.test");
    const allow = [{ host: "a.test", ports: [port], secrets: [secret] }];
    const trusting = await rigOf({ allow, authorities, allowPrivate: ["127.0.0.0/8"] });
    const doubting = await rigOf({
      allow: [{ host: "b.test", ports: [port], secrets: [secret] }],
      allowPrivate: ["127.0.0.0/8"],
    });
    const header = [`Authorization: ${secret.placeholder}`];
    for (const answer of [
      await trusting.ask(get(`http://a.test:${port}/`, header)),
      await doubting.ask(get(`http://b.test:${port}/`, header)),
    ]) {
      expect(answer).toMatch(/^HTTP\/1\.1 502 /);
      expect(answer).not.toContain(canary);
    }
    expect(seen).toEqual([]);
    expect(trusting.decisions.map(({ reason }) => reason)).toEqual(["unreachable"]);
  });

  it("say that they leave over TLS alone where the host does not speak it", async () => {
    const { port, seen } = upstream();
    const allow = [{ host: "a.test", ports: [port], secrets: [secret] }];
    const { ask, decisions } = await rigOf({ allow, allowPrivate: ["127.0.0.0/8"] });
    const answer = await ask(get(`http://a.test:${port}/`, [`Authorization: ${secret.placeholder}`]));
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toContain("leave as https, and it did not speak TLS on that port");
    expect(decisions).toMatchObject([{ host: "a.test", port, verdict: "failed", reason: "no_tls" }]);
    expect(seen).toEqual([]);
  });

  it("go out without TLS only where port 80 is named", async () => {
    const { port, seen } = upstream();
    const allow = [{ host: "a.test", ports: [80, port], secrets: [secret] }];
    const { ask } = await rigOf({ allow, allowPrivate: ["127.0.0.0/8"] });
    await ask(get(`http://a.test:${port}/`, [`Authorization: Bearer ${secret.placeholder}`]));
    expect(seen[0]?.headers.authorization).toBe(`Bearer ${canary}`);
  });

  it("stay placeholders on the way to any other host or port, and in tunnels, and somebody is told", async () => {
    const { port, seen } = upstream();
    const allow = [
      { host: "a.test", ports: [80, 81], secrets: [secret] },
      { host: "a.test", ports: [port] },
      { host: "b.test", ports: [80, port], secrets: [other] },
    ];
    const { ask, decisions } = await rigOf({ allow, allowPrivate: ["127.0.0.0/8"] });
    const header = `Authorization: ${basic(`u:${secret.placeholder}`)}`;
    await ask(get(`http://b.test:${port}/`, [header, `X-Other: ${other.placeholder}`]));
    await ask(get(`http://a.test:${port}/`, [header]));
    await ask(
      `${connectTo(`a.test:${port}`)}GET / HTTP/1.1\r\nHost: a.test\r\n${header}\r\nConnection: close\r\n\r\n`,
    );
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(
      Array.from({ length: 3 }, () => basic(`u:${secret.placeholder}`)),
    );
    expect(seen[0]?.headers["x-other"]).toBe(other.value);
    const odd = decisions.filter(({ reason }) => reason === "secret_elsewhere");
    expect(odd.map(({ host, verdict }) => [host, verdict])).toEqual([
      ["b.test", "denied"],
      ["a.test", "denied"],
    ]);
    expect(JSON.stringify(decisions)).not.toContain("canary");
  });

  it("are put into plain requests that a program sends through a tunnel, one after the other", async () => {
    const { port, seen, authorities } = await tlsUpstream();
    const allow = [{ host: "a.test", ports: [port], secrets: [secret] }];
    const { connect, decisions } = await rigOf({ allow, authorities, allowPrivate: ["127.0.0.0/8"] });
    const ask = (path: string) =>
      `GET ${path} HTTP/1.1\r\nHost: a.test:${port}\r\nAuthorization: Bearer ${secret.placeholder}\r\n\r\n`;
    for (const early of [true, false]) {
      const socket = connect()
        .setEncoding("latin1")
        .on("error", () => {});
      let received = "";
      socket.on("data", (text: string) => (received += text));
      // Together with the first request, or only when the tunnel stands.
      socket.write(connectTo(`a.test:${port}`) + (early ? ask("/1") : ""));
      await expect.poll(() => received).toContain("200 Connection Established");
      if (!early) socket.write(ask("/1"));
      await expect.poll(() => received).toContain("hello from /1");
      socket.write(ask("/2") + ask("http://b.test/3"));
      await expect.poll(() => received).toMatch(/hello from \/2[^]*HTTP\/1\.1 400/);
      socket.destroy();
    }
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(
      Array.from({ length: 4 }, () => `Bearer ${canary}`),
    );
    expect(JSON.stringify(decisions)).not.toContain(canary);
  });

  it("leave tunnels of TLS to their host alone", async () => {
    const { port, seen, authorities } = await tlsUpstream();
    const allow = [{ host: "a.test", ports: [port], secrets: [secret] }];
    const { connect } = await rigOf({ allow, allowPrivate: ["127.0.0.0/8"] });
    const socket = connect();
    socket.write(connectTo(`a.test:${port}`));
    await new Promise((resolve) => socket.once("readable", resolve));
    expect(String(socket.read())).toContain("200 Connection Established");
    const tls = connectTls({ socket, servername: "a.test", ca: authorities }).setEncoding("latin1");
    let received = "";
    tls.on("data", (text: string) => (received += text));
    tls.write(`GET /tls HTTP/1.1\r\nHost: a.test\r\nAuthorization: ${secret.placeholder}\r\n\r\n`);
    await expect.poll(() => received).toContain("hello from /tls");
    expect(seen[0]?.headers.authorization).toBe(secret.placeholder);
    tls.destroy();
  });

  it("are struck out of the headers of answers", async () => {
    const { port, server } = upstream();
    server.on("request", (request, response) => {
      const echoed = request.headers.authorization ?? "";
      response.writeHead(200, {
        "x-echo": echoed,
        "x-coded": Buffer.from(canary).toString("base64"),
        location: `/?token=${encodeURIComponent(canary)}`,
        "x-basic": basic(`u:${canary}`),
      });
      response.end("done");
    });
    const allow = [{ host: "a.test", ports: [80, port], secrets: [secret] }];
    const { ask } = await rigOf({ allow, allowPrivate: ["127.0.0.0/8"] });
    const answer = await ask(get(`http://a.test:${port}/`, [`Authorization: Bearer ${secret.placeholder}`]));
    expect(answer).toContain(`Bearer ${secret.placeholder}`);
    expect(answer).toContain(`token=${secret.placeholder}`);
    expect(answer).toContain(basic(`u:${secret.placeholder}`));
    for (const form of [canary, encodeURIComponent(canary), Buffer.from(canary).toString("base64")])
      expect(answer).not.toContain(form);
  });
});
