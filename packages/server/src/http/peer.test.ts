import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { createAddressSet } from "../lib/addresses.ts";
import { subjectNames } from "./peer-certificate.ts";
import { createReadPeer, keepPeer, ownOrigin, peerOf, type Reached } from "./peer.ts";

const trusted = createAddressSet(["127.0.0.1", "10.0.0.0/8", "2001:db8:aaaa::/48"]);

function read(socketAddress: string, headers: Record<string, string> = {}): Reached {
  const incoming = { socket: { remoteAddress: socketAddress }, headers } as unknown as IncomingMessage;
  return createReadPeer({ trusted })(incoming);
}

const addressBy = (socket: string, forwarded: string) =>
  read(socket, { "x-forwarded-for": forwarded }).peer.address;

describe("AUT-05: the client's address", () => {
  it("is the socket's when it is no trusted proxy, whatever the headers say", () => {
    const headers = {
      "x-forwarded-for": "198.51.100.1",
      "x-real-ip": "198.51.100.1",
      forwarded: "for=198.51.100.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "berth.example",
    };
    expect(read("203.0.113.9", headers)).toEqual({
      peer: { socket: "203.0.113.9", address: "203.0.113.9", trustedProxy: false, certificate: null },
      origin: null,
    });
  });

  it.each([
    ["one hop", "203.0.113.7", "203.0.113.7"],
    ["a client that invents hops", "127.0.0.1, 10.0.0.1, 8.8.8.8, 203.0.113.7", "203.0.113.7"],
    ["trusted proxies behind one another", "8.8.8.8, 203.0.113.7, 10.1.1.1, 10.2.2.2", "203.0.113.7"],
    ["a mapped address", "8.8.8.8, ::ffff:203.0.113.7", "203.0.113.7"],
    ["a trusted proxy written as mapped", "203.0.113.7, ::ffff:10.0.0.9", "203.0.113.7"],
    ["a port", "203.0.113.7:4711", "203.0.113.7"],
    ["brackets and a port", "[2001:DB8::7]:4711", "2001:db8::7"],
    ["IPv6", "2001:db8:0:0::7, 2001:db8:aaaa::1", "2001:db8::7"],
    ["only trusted hops", "10.0.0.1, 10.0.0.2", "10.0.0.1"],
    ["garbage on the left", "<script>, 203.0.113.7", "203.0.113.7"],
  ])("is the first untrusted hop from the right: %s", (_, forwarded, address) => {
    expect(addressBy("127.0.0.1", forwarded)).toBe(address);
    expect(addressBy("::ffff:127.0.0.1", forwarded)).toBe(address);
  });

  it.each([
    "unknown",
    "",
    ",",
    "203.0.113.7, _hidden",
    "203.0.113.7, 1.2.3.4.5",
    `203.0.113.7, ${"9".repeat(9_000)}`,
  ])("stays the proxy's when it says no address: %.40s", (forwarded) => {
    expect(addressBy("10.0.0.1", forwarded)).toBe("10.0.0.1");
  });

  it("does not follow a chain without an end", () => {
    const hops = Array.from({ length: 2_000 }, () => "10.9.9.9");
    expect(addressBy("10.0.0.1", ["203.0.113.7", ...hops].join(", "))).toBe("10.9.9.9");
  });

  it("never comes from Forwarded or X-Real-IP, which proxies pass on unread", () => {
    const headers = { forwarded: "for=198.51.100.1;proto=https", "x-real-ip": "198.51.100.1" };
    expect(read("10.0.0.1", headers)).toMatchObject({ peer: { address: "10.0.0.1" }, origin: null });
  });
});

describe("the server's own origin", () => {
  const originBy = (headers: Record<string, string>) => read("10.0.0.1", headers).origin;

  it("is what a trusted proxy was asked for", () => {
    const headers = {
      "x-forwarded-proto": "https",
      "x-forwarded-host": "Berth.example:443",
      host: "berth:7420",
    };
    expect(originBy(headers)).toBe("https://berth.example");
    expect(originBy({ "x-forwarded-proto": "https", host: "berth.example" })).toBe("https://berth.example");
    expect(originBy({ "x-forwarded-proto": "https, http", host: "a.example" })).toBe("http://a.example");
  });

  it.each([
    { host: "berth.example" },
    { "x-forwarded-proto": "ftp", host: "berth.example" },
    { "x-forwarded-proto": "https", "x-forwarded-host": "a.example/..", host: "b.example" },
    { "x-forwarded-proto": "https", "x-forwarded-host": "user@a.example" },
    { "x-forwarded-proto": "https" },
  ])("is not made of half a word: %j", (headers) => {
    expect(originBy(headers)).toBeNull();
  });

  it("is the request's own without a proxy", () => {
    const request = new Request("http://berth.test:7420/api/v1/me");
    expect([ownOrigin(request), peerOf(request).address]).toEqual(["http://berth.test:7420", "127.0.0.1"]);
    keepPeer(request, read("10.0.0.1", { "x-forwarded-proto": "https", host: "berth.example" }));
    expect([ownOrigin(request), peerOf(request).address]).toEqual(["https://berth.example", "10.0.0.1"]);
  });
});

describe("the names of a certificate", () => {
  it.each([
    ["DNS:worker.example, URI:spiffe://a/b", ["DNS:worker.example", "URI:spiffe://a/b"]],
    ["IP Address:127.0.0.1, email:a@b.example", ["IP Address:127.0.0.1", "email:a@b.example"]],
    [undefined, []],
    ["", []],
    ['DNS:a.example, URI:"http://x/, DNS:admin.example"', ["DNS:a.example"]],
    ["DNS:a.example, othername:<unsupported>", []],
    ["DNS:a.example, nonsense", []],
  ])("are read as they are: %s", (text, names) => {
    expect(subjectNames(text)).toEqual(names);
  });
});
