import { describe, expect, it } from "vitest";
import { createAddressSet } from "../../../src/lib/addresses.ts";
import { createAdmission } from "../../../src/limits/admission.ts";
import { openWs } from "../../support/follow/ws-client.ts";
import { apiKey, useNetServer } from "../../support/network/net-server.ts";

const start = useNetServer();
const consoleOrigin = "https://console.example";
const cors = { origins: new Set([consoleOrigin]) };
const key = { "x-api-key": apiKey };

const foreign = [
  "null",
  "https://evil.example",
  "https://console.example.evil.example",
  "https://evil-console.example",
  "http://console.example",
  "https://console.example:8443",
  "https://sub.console.example",
  "HTTPS://CONSOLE.EXAMPLE",
  "*",
];

const allowing = (headers: Headers) => [...headers].filter(([name]) => name.startsWith("access-control-"));

describe("AUT-09: a page of another origin", () => {
  it("reads an answer only when its origin is on the list, exactly", async () => {
    const { url } = await start({ edge: { cors } });
    for (const path of ["/api/v1/me", "/api/v1/nothing", "/api/v1/openapi.json"]) {
      const mine = await fetch(`${url}${path}`, { headers: { ...key, origin: consoleOrigin } });
      expect(Object.fromEntries(mine.headers)).toMatchObject({
        "access-control-allow-origin": consoleOrigin,
        "access-control-allow-credentials": "true",
        vary: "Origin",
      });
      for (const origin of foreign) {
        const { headers } = await fetch(`${url}${path}`, { headers: { ...key, origin } });
        expect({ origin, allowing: allowing(headers), vary: headers.get("vary") }).toEqual({
          origin,
          allowing: [],
          vary: "Origin",
        });
      }
    }
  });

  it("may not even ask first when it is not on the list", async () => {
    const { url } = await start({ edge: { cors } });
    const ask = (origin: string) =>
      fetch(`${url}/api/v1/sessions`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "DELETE" },
      });
    const mine = await ask(consoleOrigin);
    expect({ status: mine.status, ...Object.fromEntries(mine.headers) }).toMatchObject({
      status: 204,
      "access-control-allow-origin": consoleOrigin,
      "access-control-allow-methods": expect.stringContaining("DELETE"),
      "access-control-allow-headers": expect.stringContaining("X-CSRF-Token"),
    });
    expect(JSON.stringify([...mine.headers])).not.toContain('"*"');
    for (const origin of foreign) {
      const { status, headers } = await ask(origin);
      expect({ origin, status, allowing: allowing(headers) }).toEqual({ origin, status: 403, allowing: [] });
    }
  });

  it("is told nothing by a server without a list", async () => {
    const { url } = await start();
    const { headers } = await fetch(`${url}/api/v1/me`, { headers: { ...key, origin: consoleOrigin } });
    expect(allowing(headers)).toEqual([]);
  });

  it("follows a stream only when it is on the list", async () => {
    const { api, url } = await start({ edge: { cors } });
    await api.agent();
    const { id } = await api.session();
    const follow = async (origin: string) => {
      const abort = new AbortController();
      const at = `${url}/api/v1/sessions/${id}/events/stream`;
      const { headers } = await fetch(at, { headers: { ...key, origin }, signal: abort.signal });
      abort.abort();
      return headers.get("access-control-allow-origin");
    };
    expect(await follow(consoleOrigin)).toBe(consoleOrigin);
    expect(await follow("https://evil.example")).toBeNull();
  });
});

describe("every answer", () => {
  it("tells browsers to keep, guess, frame and run nothing", async () => {
    const { url } = await start();
    for (const path of ["/", "/healthz", "/api/v1/me", "/api/v1/nothing", "/api/v1/openapi.json"]) {
      const { headers } = await fetch(`${url}${path}`, { headers: key });
      expect({ path, ...Object.fromEntries(headers) }).toMatchObject({
        path,
        "cache-control": "no-store",
        "content-security-policy": expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
      });
      expect(headers.has("strict-transport-security")).toBe(false);
      expect(headers.has("server") || headers.has("x-powered-by")).toBe(false);
    }
  });

  it("holds browsers to TLS when a trusted proxy speaks it, and not when somebody says so", async () => {
    const trusting = await start({ trusted: ["127.0.0.1"] });
    const behind = { ...key, "x-forwarded-proto": "https", "x-forwarded-host": "berth.example" };
    const { headers } = await fetch(`${trusting.url}/api/v1/me`, { headers: behind });
    expect(headers.get("strict-transport-security")).toBe("max-age=31536000");
  });

  it("does not hold them to it when a stranger says that it speaks TLS", async () => {
    const { url } = await start();
    const { headers } = await fetch(`${url}/api/v1/me`, {
      headers: { ...key, "x-forwarded-proto": "https" },
    });
    expect(headers.has("strict-transport-security")).toBe(false);
  });
});

describe("AUT-05: an organization's list of addresses", () => {
  const admission = createAdmission({
    rules: { of: () => ({ ipAllow: createAddressSet(["203.0.113.0/24"]), rateFactor: 1 }) },
    rates: null,
    uncounted: createAddressSet([]),
    adminAllow: createAddressSet([]),
  });
  const principal = { credential: { kind: "api_key", id: "key_1", expiresAt: null } } as const;

  it("goes by the first untrusted hop from the right, on requests and WebSockets alike", async () => {
    const { url, port } = await start({
      edge: { admission },
      principal,
      trusted: ["127.0.0.1", "10.0.0.0/8"],
    });
    const hops: readonly (readonly [string, boolean])[] = [
      ["203.0.113.7", true],
      ["1.2.3.4, 203.0.113.7", true],
      ["1.2.3.4, 203.0.113.7, 10.0.0.9", true],
      ["::ffff:203.0.113.7", true],
      ["203.0.113.7, 198.51.100.1", false],
      ["203.0.113.7, 198.51.100.1, 10.0.0.9", false],
      ["203.0.113.7,unknown", false],
      ["", false],
    ];
    for (const [hop, allowed] of hops) {
      const headers = {
        ...key,
        "x-forwarded-for": hop,
        forwarded: "for=203.0.113.7",
        "x-real-ip": "203.0.113.7",
      };
      const response = await fetch(`${url}/api/v1/me`, { headers });
      const { code } = (await response.json()) as { code?: string };
      expect({ hop, status: response.status, code }).toEqual({
        hop,
        status: allowed ? 200 : 403,
        code: allowed ? undefined : "address_not_allowed",
      });
      const socket = openWs(port, "/ws", headers);
      expect(await socket.status).toBe(101);
      // Who is let in closes it, the others are closed on.
      if (allowed) socket.socket.close();
      expect({ hop, code: await socket.closed }).toEqual({ hop, code: allowed ? 1005 : 4403 });
    }
  });

  it("is not got around by a header when no proxy is trusted", async () => {
    const { url } = await start({ edge: { admission }, principal });
    const headers = { ...key, "x-forwarded-for": "203.0.113.7", forwarded: "for=203.0.113.7" };
    expect((await fetch(`${url}/api/v1/me`, { headers })).status).toBe(403);
  });
});
