import { describe, expect, it, vi } from "vitest";
import {
  apiKey,
  type NetServer,
  type NetServerOptions,
  useNetServer,
} from "../../support/network/net-server.ts";
import { codeOf, type RawClient, rawClient, statusesOf } from "../../support/network/raw-client.ts";

const start = useNetServer();

async function startWithSession(options: NetServerOptions): Promise<{ server: NetServer; id: string }> {
  const server = await start(options);
  await server.api.agent();
  const { id } = await server.api.session();
  return { server, id };
}

function follow(server: NetServer, id: string, headers: readonly string[] = []): RawClient {
  const client = rawClient(server.port);
  const lines = [
    `GET /api/v1/sessions/${id}/events/stream HTTP/1.1`,
    "Host: a",
    `X-API-Key: ${apiKey}`,
    ...headers,
  ];
  client.write(`${lines.join("\r\n")}\r\n\r\n`);
  return client;
}

const began = (client: RawClient) => client.until("retry:");
const refused = async (client: RawClient) => {
  const answer = await client.until('"code"');
  return { statuses: statusesOf(answer), code: codeOf(answer), again: /^retry-after: \d+\r$/im.test(answer) };
};
const tooMany = { statuses: [429], code: "too_many_streams", again: true };

describe("NET-06: event streams", () => {
  it("are so many for one caller and no more, and a place that is given back can be had again", async () => {
    const { server, id } = await startWithSession({ streams: { maxStreams: 3 } });
    const open = Array.from({ length: 3 }, () => follow(server, id));
    await Promise.all(open.map(began));
    expect(await refused(follow(server, id))).toEqual(tooMany);
    open[0]?.socket.destroy();
    await vi.waitFor(() => expect(server.streams.events.size).toBe(2), { timeout: 10_000 });
    await began(follow(server, id));
  });

  it("are so many for one organization", async () => {
    const { server, id } = await startWithSession({ streams: { maxStreamsPerOrg: 2 } });
    await Promise.all([began(follow(server, id)), began(follow(server, id))]);
    expect(await refused(follow(server, id))).toEqual(tooMany);
  });

  it("are so many from one address, or one /64", async () => {
    const { server, id } = await startWithSession({
      streams: { maxStreamsPerAddress: 2 },
      trusted: ["127.0.0.1"],
    });
    const from = (address: string) => follow(server, id, [`X-Forwarded-For: ${address}`]);
    await Promise.all([began(from("2001:db8::1")), began(from("2001:db8::2"))]);
    expect(await refused(from("2001:db8::3"))).toEqual(tooMany);
    await began(from("2001:db8:0:1::1"));
    await began(from("203.0.113.7"));
  });

  it("that nobody reads are cut, and cost no more than their buffer until then", async () => {
    const { server, id } = await startWithSession({ streams: { drainMs: 2_000, maxUnsent: 65_536 } });
    const { api } = server;
    // A message of 500 KB is kept in the log: more than the sockets' buffers hold, several times.
    for (let i = 0; i < 20; i++) {
      const events = [{ type: "system.message", content: "x".repeat(500_000) }];
      expect((await api.post(`/sessions/${id}/events`, { events })).status).toBe(202);
    }
    const client = follow(server, id);
    client.socket.pause();
    await vi.waitFor(() => expect(server.streams.events.size).toBe(1), { timeout: 5_000 });
    const [socket] = server.sockets;
    await vi.waitFor(() => expect(socket?.writableLength ?? 0).toBeGreaterThan(0), { timeout: 10_000 });
    expect(socket?.writableLength ?? 0).toBeLessThan(4_000_000);
    await vi.waitFor(() => expect(server.streams.events.size).toBe(0), { timeout: 20_000 });
    await vi.waitFor(() => expect(server.sockets.size).toBe(0), { timeout: 10_000 });
  });

  it("leave nothing behind when a storm of clients comes and goes", async () => {
    const { server, id } = await startWithSession({ streams: { maxStreams: 500 } });
    const before = process.getActiveResourcesInfo().length;
    for (let round = 0; round < 5; round++) {
      const clients = Array.from({ length: 50 }, () => follow(server, id));
      await Promise.all(clients.slice(0, 25).map(began));
      for (const { socket } of clients) socket.destroy();
    }
    await vi.waitFor(() => expect(server.streams.events.size).toBe(0), { timeout: 10_000 });
    await vi.waitFor(() => expect(server.sockets.size).toBe(0), { timeout: 10_000 });
    await vi.waitFor(() => expect(process.getActiveResourcesInfo().length).toBeLessThan(before + 10), {
      timeout: 10_000,
    });
    await began(follow(server, id));
  });
});
