import { describe, expect, it } from "vitest";
import type { Principal } from "../../../src/auth/principal.ts";
import type { Counter } from "../../../src/coordination/counter.ts";
import { createInProcessCounter } from "../../../src/coordination/in-process/counter.ts";
import type { Edge } from "../../../src/http/edge.ts";
import { createAddressSet } from "../../../src/lib/addresses.ts";
import { createAdmission } from "../../../src/limits/admission.ts";
import { createRateLimits, type RateSettings } from "../../../src/limits/rate-limits.ts";
import { openWs } from "../../support/follow/ws-client.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { apiKey, start as startServer, useNetServer } from "../../support/network/net-server.ts";

const start = useNetServer();
const credential = { kind: "api_key", id: "key_1", expiresAt: null } as const;
const principal: Partial<Principal> = { credential };

function edgeWith(counter: Counter, settings: Partial<RateSettings> = {}): Partial<Edge> {
  const perMs = 60_000;
  const wide = { count: 1_000, perMs };
  const factors = { principalFactor: 1, orgFactor: 1, addressFactor: 1 };
  const all = { read: wide, write: wide, heavy: wide, login: wide, ...factors, ...settings };
  const admission = createAdmission({
    rules: { of: () => ({ ipAllow: null, rateFactor: 1 }) },
    rates: createRateLimits({ counter, settings: all }),
    uncounted: createAddressSet([]),
    adminAllow: createAddressSet([]),
  });
  return { admission };
}

const limited = (read: number) => ({ read: { count: read, perMs: 60_000 }, addressFactor: 100 });
/** Nothing refills while the clock stands. */
const standing = () => createInProcessCounter({ clock: createManualClock() });

async function get(url: string, path: string, headers: Record<string, string> = { "x-api-key": apiKey }) {
  const response = await fetch(`${url}${path}`, { headers });
  await response.arrayBuffer();
  return response;
}

describe("NET-07: the limit of requests", () => {
  it("says exactly what is left, and when to come again", async () => {
    const { url } = await start({ edge: edgeWith(standing(), limited(3)), principal });
    for (const left of [2, 1, 0]) {
      const { status, headers } = await get(url, "/api/v1/me");
      expect([status, headers.get("ratelimit-policy"), headers.get("ratelimit")]).toEqual([
        200,
        '"read";q=3;w=60',
        `"read";r=${left};t=${(3 - left) * 20}`,
      ]);
    }
    const response = await fetch(`${url}/api/v1/me`, { headers: { "x-api-key": apiKey } });
    expect([response.status, response.headers.get("retry-after"), response.headers.get("ratelimit")]).toEqual(
      [429, "20", '"read";r=0;t=60'],
    );
    expect(await response.json()).toMatchObject({ code: "rate_limited", retryable: true });
  });

  it("is one for however the key and the path are written, and for what is not there", async () => {
    const { url } = await start({ edge: edgeWith(standing(), limited(8)), principal });
    const key = { "X-API-KEY": apiKey };
    const bearer = { authorization: `bearer ${apiKey}` };
    const spellings: readonly (readonly [string, Record<string, string>?])[] = [
      ["/api/v1/me"],
      ["/api/v1/me", key],
      ["/api/v1/me", bearer],
      ["/api/v1/me/"],
      ["/api/v1//me"],
      ["/API/V1/ME"],
      ["/api/v1/%6de"],
      ["/api/v1/./me"],
    ];
    const statuses: number[] = [];
    for (const [path, headers] of spellings) statuses.push((await get(url, path, headers)).status);
    expect(statuses).not.toContain(429);
    const after: number[] = [];
    for (const [path, headers] of spellings.slice(0, 3)) after.push((await get(url, path, headers)).status);
    // Paths outside of /api need no key and are counted by address.
    const counted = spellings.length - 1;
    expect(after.filter((status) => status === 429)).toHaveLength(3 - (8 - counted));
  });

  it("is one for all servers of an installation", async () => {
    const counter = standing();
    const first = await start({ edge: edgeWith(counter, limited(5)), principal });
    const second = await startServer(first.api, { edge: edgeWith(counter, limited(5)), principal });
    try {
      const statuses: number[] = [];
      for (let i = 0; i < 4; i++) {
        for (const { url } of [first, second.server]) statuses.push((await get(url, "/api/v1/me")).status);
      }
      expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
    } finally {
      await second.end();
    }
  });

  it("counts who hops through the addresses of one /64 as one, and believes no header of a stranger", async () => {
    const edge = edgeWith(standing(), { read: { count: 4, perMs: 60_000 } });
    const { url } = await start({ edge, trusted: ["127.0.0.1"] });
    const from = async (address: string) =>
      (await get(url, "/api/v1/openapi.json", { "x-forwarded-for": address })).status;
    const hops = ["2001:db8:1:2::1", "2001:db8:1:2::2", "[2001:db8:1:2:a::3]:443", "2001:DB8:1:2:b::4"];
    for (const hop of hops) expect(await from(hop)).toBe(200);
    expect(await from("2001:db8:1:2:c::5")).toBe(429);
    expect(await from("1.1.1.1, 2001:db8:1:2:c::6")).toBe(429);
    expect(await from("2001:db8:1:3::1")).toBe(200);
  });

  it("costs an address more for wrong keys, until they are not even looked at", async () => {
    const edge = edgeWith(standing(), { read: { count: 100, perMs: 60_000 } });
    const { url } = await start({ edge, trusted: ["127.0.0.1"] });
    const guess = (i: number) =>
      get(url, "/api/v1/me", { "x-api-key": `brt_guess-${i}`, "x-forwarded-for": "203.0.113.7" });
    const statuses: number[] = [];
    for (let i = 0; i < 8; i++) statuses.push((await guess(i)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    const other = { "x-api-key": apiKey, "x-forwarded-for": "203.0.113.8" };
    expect((await get(url, "/api/v1/me", other)).status).toBe(200);
  });

  it("counts what is sent over a WebSocket", async () => {
    const edge = edgeWith(standing(), { write: { count: 2, perMs: 60_000 } });
    const { api, port } = await start({ edge, principal });
    await api.agent();
    const { id } = await api.session();
    const client = openWs(port, `/sessions/${id}/ws`, { "x-api-key": apiKey });
    await client.until("subscribed");
    const events = [{ type: "user.message", content: "hi" }] as const;
    for (const frame of ["a", "b", "c"]) client.send({ op: "send", id: frame, events: [...events] });
    await client.until("accepted", (frame) => frame.id === "b");
    expect(await client.until("error")).toMatchObject({ id: "c", code: "rate_limited" });
    client.socket.close();
    await client.closed;
  });

  it("leaves the probes of load balancers alone", async () => {
    const { url } = await start({ edge: edgeWith(standing(), { ...limited(1), addressFactor: 1 }) });
    for (let i = 0; i < 5; i++) expect((await get(url, "/healthz", {})).status).toBe(200);
  });
});
