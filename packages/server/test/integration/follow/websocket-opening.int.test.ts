import { once } from "node:events";
import { connect } from "node:net";
import type { Ticket } from "@berth/contract";
import { describe, expect, it, vi } from "vitest";
import { apiKey } from "../../support/follow/server.ts";
import { useServer } from "../../support/follow/use-server.ts";
import { openWs } from "../../support/follow/ws-client.ts";

const start = useServer();

describe("opening a WebSocket", () => {
  it("takes a ticket once, and closes with 4401 without a valid credential", async () => {
    const { api, port, at } = await start();
    const reply = await fetch(`${at.url}/api/v1/tickets`, {
      method: "POST",
      headers: { "x-api-key": apiKey },
    });
    expect(reply.status).toBe(201);
    const { ticket, expiresAt } = (await reply.json()) as Ticket;
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(30_000);
    const { id: sessionId } = await api.session();
    const first = openWs(port, `/ws?ticket=${ticket}`, {});
    await first.status;
    first.send({ op: "subscribe", id: "s", sessionId });
    await first.until("subscribed");
    for (const [path, headers] of [
      [`/ws?ticket=${ticket}`, {}],
      ["/ws", {}],
      ["/ws", { "x-api-key": "wrong" }],
      [`/sessions/${sessionId}/ws`, {}],
    ] as const) {
      const refused = openWs(port, path, headers);
      expect(await refused.closed).toBe(4401);
      expect(refused.frames).toHaveLength(1);
    }
    await vi.waitFor(() => expect(at.streams.sockets.size).toBe(1), { timeout: 10_000 });
  });

  it("closes with 4403 when the caller may not read", async () => {
    const { api, port } = await start({}, { permissions: ["session:write"] });
    const { id } = await api.session();
    expect(await openWs(port, `/sessions/${id}/ws`).closed).toBe(4403);
  });

  it.each([
    ["http://evil.example", 403],
    ["null", 403],
    ["http://127.0.0.1:1", 403],
    ["http://HOST", 101],
  ])("from a page of %s is answered %i", async (origin, status) => {
    const { port } = await start();
    const headers = {
      "x-api-key": apiKey,
      origin: origin.replace("HOST", `127.0.0.1:${port}`),
    };
    expect(await openWs(port, "/ws", headers).status).toBe(status);
  });

  it.each(["/", "/sessions/x/ws", "/sessions", "/ws/more"])("is answered 404 at %s", async (path) => {
    const { port } = await start();
    expect(await openWs(port, path).status).toBe(404);
  });

  it("is not what a client asks for that offers HTTP/2", async () => {
    const { port } = await start();
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n");
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 200 /);
    socket.destroy();
  });

  it("forgets a client that is gone", async () => {
    const { api, port, at } = await start();
    const { id } = await api.session();
    const client = openWs(port, `/sessions/${id}/ws`);
    await client.until("subscribed");
    client.socket.terminate();
    await vi.waitFor(() => expect(at.streams.sockets.size).toBe(0), { timeout: 10_000 });
  });
});
