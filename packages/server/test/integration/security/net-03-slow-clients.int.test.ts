import { describe, expect, it, vi } from "vitest";
import { createAddressSet } from "../../../src/lib/addresses.ts";
import { apiKey, useNetServer } from "../../support/network/net-server.ts";
import { type RawClient, rawClient, statusesOf } from "../../support/network/raw-client.ts";

const start = useNetServer();
const head = `Host: berth.test\r\nX-API-Key: ${apiKey}\r\nContent-Type: application/json\r\n`;

/** Milliseconds until the server cuts a client, and the statuses that it was told. */
async function cutAfter(client: RawClient): Promise<{ ms: number; statuses: readonly number[] }> {
  const began = performance.now();
  const received = await client.closed;
  return { ms: performance.now() - began, statuses: statusesOf(received) };
}

/** Sends one byte now and then, as long as the connection lasts. */
function trickle(client: RawClient, text: string): void {
  let at = 0;
  const timer = setInterval(() => client.write(text[at++ % text.length] ?? ""), 100);
  client.socket.once("close", () => clearInterval(timer));
}

describe("NET-03: a client that is slow on purpose", () => {
  it("is cut when its headers take too long, however it drips", async () => {
    const { port, seen } = await start({ limits: { headersTimeoutMs: 500, requestTimeoutMs: 60_000 } });
    const silent = rawClient(port);
    const half = rawClient(port);
    half.write("GET /api/v1/me HTTP/1.1\r\nHost: be");
    const dripping = rawClient(port);
    dripping.write("GET /api/v1/me HTTP/1.1\r\nHost: a\r\n");
    trickle(dripping, "X-A: b\r\n");
    const cut = await Promise.all([silent, half, dripping].map(cutAfter));
    expect(cut.map(({ statuses }) => statuses)).toEqual([[408], [408], [408]]);
    expect(Math.max(...cut.map(({ ms }) => ms))).toBeLessThan(8_000);
    expect(seen).toEqual([]);
  });

  it("is cut when its body takes too long", async () => {
    const { port } = await start({ limits: { headersTimeoutMs: 500, requestTimeoutMs: 700 } });
    const declared = rawClient(port);
    declared.write(`POST /api/v1/agents HTTP/1.1\r\n${head}Content-Length: 100000\r\n\r\n{`);
    trickle(declared, " ");
    const chunked = rawClient(port);
    chunked.write(`POST /api/v1/agents HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n`);
    trickle(chunked, "1\r\n \r\n");
    const cut = await Promise.all([declared, chunked].map(cutAfter));
    expect(cut.map(({ statuses }) => statuses)).toEqual([[408], [408]]);
    expect(Math.max(...cut.map(({ ms }) => ms))).toBeLessThan(8_000);
  });

  it("is cut when it takes no byte of a big answer", async () => {
    const { api, port, sockets } = await start({ limits: { stuckMs: 500 } });
    await api.agent();
    const { id } = await api.session();
    const big = "x".repeat(1_000_000);
    for (let i = 0; i < 16; i++) {
      await api.send("PUT", `/api/v1/sessions/${id}/files/f${i}`, { body: big });
    }
    const client = rawClient(port);
    client.socket.pause();
    for (let i = 0; i < 16; i++) {
      client.write(`GET /api/v1/sessions/${id}/files/f${i} HTTP/1.1\r\n${head}\r\n`);
    }
    await vi.waitFor(() => expect(sockets.size).toBe(1), { timeout: 5_000 });
    await vi.waitFor(() => expect(sockets.size).toBe(0), { timeout: 15_000 });
    client.socket.resume();
    expect((await client.closed).length).toBeLessThan(16 * big.length);
  });

  it("has no more connections than all may have", async () => {
    const all = await start({ limits: { maxConnections: 5, maxConnectionsPerAddress: 100 } });
    const first = Array.from({ length: 5 }, () => rawClient(all.port));
    await vi.waitFor(() => expect(all.sockets.size).toBe(5), { timeout: 10_000 });
    const sixth = rawClient(all.port);
    expect(await sixth.closed).toBe("");
    first[0]?.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await first[0]?.until("200 OK")).toContain("ok");
    for (const { socket } of first) socket.destroy();
  });

  it("has no more connections than one address may have", async () => {
    const { port, sockets } = await start({ limits: { maxConnectionsPerAddress: 3 } });
    const clients = Array.from({ length: 3 }, () => rawClient(port));
    await vi.waitFor(() => expect(sockets.size).toBe(3), { timeout: 10_000 });
    expect(await rawClient(port).closed).toBe("");
    clients[0]?.socket.destroy();
    await vi.waitFor(() => expect(sockets.size).toBe(2), { timeout: 10_000 });
    const again = rawClient(port);
    again.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await again.until("200 OK")).toContain("ok");
    for (const { socket } of [...clients, again]) socket.destroy();
  });

  it("does not count the connections of proxies", async () => {
    const uncounted = createAddressSet(["127.0.0.1"]);
    const { port, sockets } = await start({ limits: { maxConnectionsPerAddress: 1, uncounted } });
    const clients = Array.from({ length: 4 }, () => rawClient(port));
    await vi.waitFor(() => expect(sockets.size).toBe(4), { timeout: 10_000 });
    for (const { socket } of clients) socket.destroy();
  });

  it("leaves nothing behind: a thousand idle sockets come and go", async () => {
    // Twice as many as the kernel keeps for a listener: those who find no room ask again after a second.
    const { port, sockets } = await start({ limits: { headersTimeoutMs: 5_000 } });
    const clients = Array.from({ length: 1_000 }, () => rawClient(port));
    await vi.waitFor(() => expect(sockets.size).toBeGreaterThan(900), { timeout: 10_000 });
    await Promise.all(clients.map(({ closed }) => closed));
    await vi.waitFor(() => expect(sockets.size).toBe(0), { timeout: 10_000 });
  });
});
