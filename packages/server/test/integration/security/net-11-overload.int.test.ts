import { afterEach, describe, expect, it, vi } from "vitest";
import { watchOverload } from "../../../src/http/overload.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { apiKey, useNetServer } from "../../support/network/net-server.ts";

const start = useNetServer();
const key = { "x-api-key": apiKey };
const ends: (() => void)[] = [];
afterEach(() => {
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) end();
});

function overloadOf(settings: { maxRequests: number; lateMs: number }) {
  const overload = watchOverload(systemClock, settings);
  ends.push(() => overload.stop());
  return overload;
}

describe("NET-11: a server with more to do than it can", () => {
  it("turns away what is too much while something behind it is slow, answers probes, and recovers alone", async () => {
    const gate = Promise.withResolvers<void>();
    let waiting = 0;
    const edge = { overload: overloadOf({ maxRequests: 5, lateMs: 60_000 }) };
    const { api, url } = await start({
      edge,
      authenticator: {
        async authenticate() {
          waiting += 1;
          await gate.promise;
          return api.principal;
        },
        recheck: async (principal) => principal,
      },
    });
    const ask = () => fetch(`${url}/api/v1/me`, { headers: key });
    const slow = Array.from({ length: 5 }, ask);
    await vi.waitFor(() => expect(waiting).toBe(5), { timeout: 10_000 });
    const refused = await Promise.all(Array.from({ length: 20 }, ask));
    for (const { status, headers } of refused) {
      expect([status, headers.get("retry-after")]).toEqual([503, "1"]);
    }
    expect(await refused[0]?.json()).toMatchObject({ code: "overloaded", retryable: true });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(waiting).toBe(5);
    gate.resolve();
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect((await ask()).status).toBe(200);
  });

  it("turns requests away while its event loop is late, answers probes, and recovers alone", async () => {
    const overload = overloadOf({ maxRequests: 1_000, lateMs: 100 });
    const { url } = await start({ edge: { overload } });
    const status = async (path: string) => (await fetch(`${url}${path}`, { headers: key })).status;
    let busy = true;
    ends.push(() => (busy = false));
    const block = () => {
      const until = performance.now() + 250;
      while (performance.now() < until);
      if (busy) setImmediate(block);
    };
    block();
    await vi.waitFor(async () => expect(await status("/api/v1/me")).toBe(503), { timeout: 20_000 });
    expect(await status("/healthz")).toBe(200);
    busy = false;
    await vi.waitFor(async () => expect(await status("/api/v1/me")).toBe(200), { timeout: 20_000 });
  });
});
