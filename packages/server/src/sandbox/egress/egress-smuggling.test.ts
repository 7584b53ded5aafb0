import { describe, expect, it } from "vitest";
import { get, statusOf } from "../../../test/support/sandbox/egress-rig.ts";
import { useEgress } from "../../../test/support/sandbox/use-egress.ts";

const { upstream, rig } = useEgress();

const smuggled = "GET http://a.test/smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n";

/** Requests whose end two readers may see at different places. `PLACE` is the upstream's. */
const odd: Readonly<Record<string, string>> = {
  "a length and chunks": `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "chunks and a length": `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${smuggled}`,
  "two lengths": `Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  "two equal lengths": `Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
  "a list of lengths": `Content-Length: 0, ${smuggled.length}\r\n\r\n${smuggled}`,
  "a signed length": `Content-Length: +3\r\n\r\nabc`,
  "a hex length": `Content-Length: 0x3\r\n\r\nabc`,
  "no chunks at the end": `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
  "compressed chunks": `Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "chunks twice": `Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "chunks once and identity once": `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${smuggled}`,
  "almost chunks": `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "chunks behind a tab": `Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "a space before the colon": `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "a folded header": `X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "a folded coding": `Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "a bare line feed": `X-A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "bare line feeds at the end": `X-A: b\n\n${smuggled}`,
  "a bare carriage return": `X-A: b\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "a zero byte": `X-A: b\0\r\n\r\n`,
  "a control character": `X-A: b\x01\r\n\r\n`,
  "a chunk size with a sign": `Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n0\r\n\r\n${smuggled}`,
  "a chunk size in 0x": `Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n${smuggled}`,
  "a huge chunk size": `Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n${smuggled}`,
  "a chunk that is longer than its size": `Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n${smuggled}`,
  "a chunk ended by a line feed": `Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n${smuggled}`,
  "a Connection header that names the length": `Connection: content-length\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  "a Connection header that names the host": `Connection: Host\r\n\r\n`,
  "two hosts": `Host: a.test\r\n\r\n`,
};

describe("SBX-16 request smuggling", () => {
  it.each(Object.entries(odd))("refuses %s", async (_name, rest) => {
    const { port, seen } = upstream();
    const { ask, decisions } = await rig();
    const answer = await ask(`POST http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:${port}\r\n${rest}`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toContain("hello");
    expect(seen).toEqual([]);
    expect(decisions.map(({ reason }) => reason)).toContain("bad_request");
  });

  it("refuses chunks from HTTP/1.0, TRACE and a tunnel with a body", async () => {
    const { port, seen } = upstream();
    const { ask } = await rig();
    const host = `Host: a.test:${port}\r\n`;
    const requests = [
      `POST http://a.test:${port}/ HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `TRACE http://a.test:${port}/ HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
      `CONNECT a.test:${port} HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`,
      `CONNECT a.test:${port} HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    for (const request of requests) expect([request, statusOf(await ask(request))]).toEqual([request, 400]);
    expect(seen).toEqual([]);
  });

  it("sends what it takes with framing of its own, and judges each request of a connection", async () => {
    const { port, seen } = upstream();
    const { ask } = await rig();
    const chunked = `POST http://a.test:${port}/1 HTTP/1.1\r\nHost: a.test:${port}\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-Trailer: t\r\n\r\n`;
    const sized = `PUT http://a.test:${port}/2 HTTP/1.1\r\nHost: a.test:${port}\r\nContent-Length: 3\r\n\r\ndef`;
    const other = `GET http://b.test:${port}/3 HTTP/1.1\r\nHost: b.test:${port}\r\n\r\n`;
    const answer = await ask(chunked + sized + other);
    expect(new Map(seen.map(({ url, body }) => [url, body]))).toEqual(
      new Map([
        ["/1", "abc"],
        ["/2", "def"],
      ]),
    );
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 403"]);
    expect(JSON.stringify(seen)).not.toContain("railer");
  });

  it("keeps what belongs to a connection to that connection, both ways", async () => {
    const { port, seen, server } = upstream();
    server.on("request", (_, response) => {
      const headers = { Connection: "X-Back", "X-Back": "1", "Proxy-Authenticate": "Basic", "X-Kept": "2" };
      response.writeHead(200, headers);
      response.end("ok");
    });
    const { ask } = await rig();
    const answer = await ask(
      get(`http://a.test:${port}/`, [
        "Connection: X-Hop",
        "X-Hop: 1",
        "Proxy-Authorization: Basic eDp5",
        "Proxy-Connection: keep-alive",
        "TE: trailers",
        "Keep-Alive: timeout=9",
        "X-Kept: 2",
      ]),
    );
    expect(seen[0]?.rawHeaders).toEqual(["Host", `a.test:${port}`, "X-Kept", "2", "Connection", "close"]);
    expect(answer).toMatch(/x-kept: 2/i);
    expect(answer).not.toMatch(/x-back|proxy-authenticate/i);
  });
});
