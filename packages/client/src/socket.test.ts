import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { finished, message, sessionId } from "../test/support/events.ts";
import { startSocketServer } from "../test/support/websocket-server.ts";
import { createClient } from "./client.ts";
import type { Hint } from "./watch.ts";

const quick = { backoff: { baseMs: 1, capMs: 1 }, apiKey: "k" };
const event = (seq: number) =>
  ({ op: "event", id: "events", cursor: `1.${seq}`, event: message(seq, `text ${seq}`) }) as const;

describe("events over WebSocket", () => {
  it("go on after the last one seen, with a new ticket for each connection", async () => {
    await using server = await startSocketServer((frame, peer, connection) => {
      if (frame.op !== "subscribe") return;
      peer.send({ op: "subscribed", id: "events" });
      if (connection === 0) {
        peer.send(event(1));
        peer.send(event(2));
        peer.cut();
      } else {
        peer.send(event(2));
        peer.send(event(3));
      }
    });
    const seen: number[] = [];
    const session = createClient({ baseUrl: server.url, ...quick }).session(sessionId);
    for await (const one of session.events({ transport: "websocket" })) {
      if ("seq" in one) seen.push(one.seq);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([1, 2, 3]);
    expect(server.requests).toEqual(["/api/v1/ws?ticket=ticket-1", "/api/v1/ws?ticket=ticket-2"]);
    expect(server.frames).toEqual([
      { op: "subscribe", id: "events", sessionId },
      { op: "subscribe", id: "events", sessionId, after: "1.2" },
    ]);
    await until(() => server.sockets() === 0);
  });

  it("are filtered here", async () => {
    await using server = await startSocketServer((frame, peer) => {
      if (frame.op !== "subscribe") return;
      peer.send(event(1));
      peer.send({ op: "event", id: "events", cursor: "1.2", event: finished(2) });
    });
    const session = createClient({ baseUrl: server.url, ...quick }).session(sessionId);
    for await (const one of session.events({ transport: "websocket", types: ["run.finished"] })) {
      expect(one.type).toBe("run.finished");
      break;
    }
  });

  it("end with what the server says for good", async () => {
    await using server = await startSocketServer((frame, peer) => {
      if (frame.op === "subscribe")
        peer.send({ op: "end", id: "events", code: "cursor_invalid", message: "no" });
    });
    const events = createClient({ baseUrl: server.url, ...quick })
      .session(sessionId)
      .events({ transport: "websocket", after: "9.9" });
    await expect(events.next()).rejects.toMatchObject({ status: 409, code: "cursor_invalid" });
  });

  it("close their socket when they are aborted", async () => {
    const stop = new AbortController();
    await using server = await startSocketServer(() => stop.abort());
    const events = createClient({ baseUrl: server.url, ...quick })
      .session(sessionId)
      .events({ transport: "websocket", signal: stop.signal });
    expect(await events.next()).toEqual({ done: true, value: undefined });
    await until(() => server.sockets() === 0);
  });
});

describe("watching lists", () => {
  it("hints at every topic after each connect, and at what changes", async () => {
    await using server = await startSocketServer((frame, peer, connection) => {
      if (frame.op !== "subscribe" || !("topic" in frame)) return;
      peer.send({ op: "subscribed", id: frame.id });
      if (frame.topic === "sessions" && connection === 0) {
        peer.send({ op: "hint", id: "sessions", topic: "sessions", sessionId });
        peer.cut();
      }
    });
    const found: Hint[] = [];
    for await (const hint of createClient({ baseUrl: server.url, ...quick }).watch({
      topics: ["approvals", "sessions"],
    })) {
      found.push(hint);
      if (found.length === 5) break;
    }
    expect(found).toEqual([
      { topic: "approvals", sessionId: null },
      { topic: "sessions", sessionId: null },
      { topic: "sessions", sessionId },
      { topic: "approvals", sessionId: null },
      { topic: "sessions", sessionId: null },
    ]);
    await until(() => server.sockets() === 0);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
