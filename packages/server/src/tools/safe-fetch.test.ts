import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAddressRules } from "../lib/address-rules.ts";
import type { ResolvedAddress } from "../lib/checked-addresses.ts";
import { createSafeFetch } from "./safe-fetch.ts";

let server: Server;
let port: number;
let requests: IncomingMessage[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  requests = [];
  answer = (_request, response) => void response.end("hello");
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

/** A resolver that knows the given names, and counts. */
function resolver(names: Readonly<Record<string, readonly string[]>>) {
  const asked: string[] = [];
  const lookup = async (host: string): Promise<ResolvedAddress[]> => {
    asked.push(host);
    return (names[host] ?? []).map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  };
  return { asked, lookup };
}
const signal = new AbortController().signal;
const limits = { maxBytes: 1_000, timeoutMs: 5_000, signal };
const text = (body: Uint8Array) => new TextDecoder().decode(body);

describe("NET-10 refuses without a connection", () => {
  const hosts = [
    "127.0.0.1",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "0",
    "localhost",
    "localhost.",
    "x.localhost",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[fec0::1]",
    "10.0.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "224.0.0.1",
    "255.255.255.255",
    "user:secret@127.0.0.1",
    "example.com@127.0.0.1",
    "①②⑦.⓪.⓪.①",
  ];
  it.each(hosts)("%s", async (host) => {
    const fetchPage = createSafeFetch();
    await expect(fetchPage(`http://${host}:${port}/`, limits)).rejects.toMatchObject({
      code: "address_refused",
    });
    expect(requests).toEqual([]);
  });

  it.each([
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "ftp://example.com/",
    "data:text/plain,x",
    "x",
    "",
    "//host/x",
  ])("what is no http address: %s", async (url) => {
    await expect(createSafeFetch()(url, limits)).rejects.toMatchObject({ code: "url_invalid" });
  });

  it("a name with one private address among public ones, asked once", async () => {
    const { lookup, asked } = resolver({ "mixed.example": ["93.184.215.14", "127.0.0.1"] });
    const fetchPage = createSafeFetch({ lookup });
    await expect(fetchPage(`http://mixed.example:${port}/`, limits)).rejects.toMatchObject({
      code: "address_refused",
    });
    expect(asked).toEqual(["mixed.example"]);
    expect(requests).toEqual([]);
  });

  it("a redirect to a private address", async () => {
    const { lookup } = resolver({ "open.example": ["127.0.0.1"] });
    const fetchPage = createSafeFetch({ lookup, allow: [`open.example:${port}`] });
    for (const location of [
      `http://127.0.0.1:${port}/secret`,
      `//[::1]:${port}/`,
      "http://169.254.169.254/latest",
    ]) {
      answer = (_request, response) => void response.writeHead(302, { location }).end();
      await expect(fetchPage(`http://open.example:${port}/`, limits)).rejects.toMatchObject({
        code: "address_refused",
      });
    }
    answer = (_request, response) => void response.writeHead(302, { location: "file:///etc/passwd" }).end();
    await expect(fetchPage(`http://open.example:${port}/`, limits)).rejects.toMatchObject({
      code: "url_invalid",
    });
    expect(requests.every((request) => request.url === "/")).toBe(true);
  });
});

describe("what is permitted", () => {
  it("dials the address that was checked, and resolves a name once", async () => {
    let calls = 0;
    // A rebinding resolver: the second answer would be another address.
    const lookup = async () => [{ address: calls++ === 0 ? "127.0.0.1" : "127.0.0.99", family: 4 }];
    const page = await createSafeFetch({ lookup, allow: ["127.0.0.1/32"] })(
      `http://name.example:${port}/a?b#c`,
      limits,
    );
    expect(text(page.body)).toBe("hello");
    expect(page).toMatchObject({ url: `http://name.example:${port}/a?b`, status: 200, truncated: false });
    expect(calls).toBe(1);
    expect(requests[0]?.headers.host).toBe(`name.example:${port}`);
  });

  it("sends no credentials and follows redirects to what is permitted, five at most", async () => {
    const fetchPage = createSafeFetch({ allow: [`127.0.0.1:${port}`] });
    answer = (request, response) => {
      const left = Number(request.url?.slice(1));
      if (left > 0) response.writeHead(301, { location: `/${left - 1}`, "set-cookie": "a=b" });
      response.end("end");
    };
    const page = await fetchPage(`http://user:secret@127.0.0.1:${port}/5`, limits);
    expect(page.url).toBe(`http://127.0.0.1:${port}/0`);
    for (const { headers } of requests)
      expect([headers.authorization, headers.cookie]).toEqual([undefined, undefined]);
    await expect(fetchPage(`http://127.0.0.1:${port}/6`, limits)).rejects.toMatchObject({
      code: "too_many_redirects",
    });
  });

  it("cuts a body at its cap, also one that is small until it is unpacked", async () => {
    const fetchPage = createSafeFetch({ allow: [`127.0.0.1:${port}`] });
    answer = (_request, response) =>
      void response
        .writeHead(200, { "content-encoding": "gzip", "content-type": "text/plain" })
        .end(gzipSync("x".repeat(5e6)));
    const page = await fetchPage(`http://127.0.0.1:${port}/`, limits);
    expect(page).toMatchObject({ truncated: true, contentType: "text/plain" });
    expect(page.body.length).toBe(1_000);
    answer = (_request, response) => void response.end("x".repeat(1_000));
    expect(await fetchPage(`http://127.0.0.1:${port}/`, limits)).toMatchObject({ truncated: false });
  });

  it("gives up after the time, when it is told to, and when nobody listens", async () => {
    const fetchPage = createSafeFetch({ allow: ["127.0.0.0/8"] });
    answer = (_request, response) => void response.write("begin");
    const url = `http://127.0.0.1:${port}/`;
    await expect(fetchPage(url, { ...limits, timeoutMs: 100 })).rejects.toMatchObject({
      code: "fetch_timeout",
    });
    const stop = new AbortController();
    answer = () => stop.abort();
    await expect(fetchPage(url, { ...limits, signal: stop.signal })).rejects.toMatchObject({
      code: "aborted",
    });
    const never = createSafeFetch({ lookup: () => new Promise(() => {}) });
    await expect(never("http://slow.example/", { ...limits, timeoutMs: 100 })).rejects.toMatchObject({
      code: "fetch_timeout",
    });
    await expect(fetchPage("http://127.0.0.1:1/", limits)).rejects.toMatchObject({ code: "fetch_failed" });
  });

  it("tells a status that is no success as a page", async () => {
    answer = (_request, response) => void response.writeHead(404).end("gone");
    const page = await createSafeFetch({ allow: [`127.0.0.1:${port}`] })(`http://127.0.0.1:${port}/`, limits);
    expect(page.status).toBe(404);
  });
});

describe("address rules", () => {
  it("permit public addresses of both families and what the operator allows", () => {
    const rules = createAddressRules(["wiki.internal:443", "[fd00::5]:80", "10.1.0.0/16", "fd12::/16"]);
    const permits = (address: string, host = "h", destinationPort = 80) =>
      rules.permits({ host, port: destinationPort, address });
    for (const address of ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "10.1.2.3", "fd12::1"]) {
      expect(permits(address)).toBe(true);
    }
    for (const address of ["10.2.0.1", "fd13::1", "fe80::1%eth0", "nonsense", ""])
      expect(permits(address)).toBe(false);
    expect(permits("10.9.9.9", "WIKI.internal", 443)).toBe(true);
    expect(permits("10.9.9.9", "wiki.internal", 80)).toBe(false);
    expect(permits("fd00::5", "fd00::5", 80)).toBe(true);
  });

  it.each(["10.0.0.0/33", "10.0.0.0/", "x/8", "host", "host:port", "http://host:80"])(
    "refuse the entry %s",
    (entry) => {
      expect(() => createAddressRules([entry])).toThrow(/neither host:port nor a range/);
    },
  );
});
