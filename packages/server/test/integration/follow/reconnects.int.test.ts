import { once } from "node:events";
import type { ServerFrame, StreamEvent } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { openRawSse } from "../../support/follow/raw-sse.ts";
import { apiKey } from "../../support/follow/server.ts";
import { talkativeModel } from "../../support/follow/talkative-model.ts";
import { Witness } from "../../support/follow/witness.ts";
import { type Started, useServer } from "../../support/follow/use-server.ts";

const startServer = useServer();

/** Runs of the session, and followers that are cut again and again meanwhile. Each run's text lasts for some thirty frames. */
const runs = 4;
const followers = 4;
const reconnects = 25;

async function start(): Promise<Started & { sessionId: string }> {
  const started = await startServer({}, { api: { answer: talkativeModel(250) } });
  const { id } = await started.api.session();
  return { ...started, sessionId: id };
}

/** Says something `runs` times while clients follow, each over at least `reconnects` connections; then checks what they saw. */
async function witness(
  api: Started["api"],
  sessionId: string,
  follow: (seen: Witness, last: boolean) => Promise<void>,
) {
  const seen = Array.from({ length: followers }, () => new Witness());
  const clients = seen.map(async (one) => {
    let connections = 0;
    // Who has seen all of it would wait for ever to be cut.
    for (; one.finished() < runs; connections++) await follow(one, connections >= reconnects);
    return connections;
  });
  for (let i = 0; i < runs; i++) await api.say(sessionId, `message ${i}`);
  for (const connections of await Promise.all(clients))
    expect(connections).toBeGreaterThanOrEqual(reconnects);
  const log = await api.harness.log(sessionId);
  for (const one of seen) {
    expect(one.wrong).toEqual([]);
    expect(one.events).toEqual(log);
    expect(one.deltas).toBeGreaterThan(50);
  }
}

describe("a follower that is cut again and again", () => {
  it("I9: sees every event once and no wrong text over event streams cut at any byte", async () => {
    const { api, at, sessionId } = await start();
    const path = `/api/v1/sessions/${sessionId}/events/stream`;
    await witness(api, sessionId, async (seen, last) => {
      seen.connected();
      const stream = openRawSse({
        port: at.port,
        path,
        lastEventId: seen.cursor,
        ...(!last && { cutAfter: 1 + Math.floor(Math.random() * 2_000) }),
        onFrame({ id, data }) {
          seen.take(id, data as StreamEvent);
          if (seen.finished() === runs) stream.cut();
        },
      });
      await stream.closed;
    });
  });

  it("I9: sees every event once and no wrong text over WebSockets cut after any frame", async () => {
    const { api, at, sessionId } = await start();
    await witness(api, sessionId, async (seen, last) => {
      seen.connected();
      const socket = new WebSocket(`ws://127.0.0.1:${at.port}/api/v1/ws`, {
        headers: { "x-api-key": apiKey },
      });
      let left = last ? Number.POSITIVE_INFINITY : 1 + Math.floor(Math.random() * 8);
      socket.on("open", () => {
        const after = seen.cursor === null ? {} : { after: seen.cursor };
        socket.send(JSON.stringify({ op: "subscribe", id: "s", sessionId, ...after }));
      });
      socket.on("message", (data: Buffer) => {
        const frame = JSON.parse(data.toString()) as ServerFrame;
        if (left <= 0) return;
        left -= 1;
        if (frame.op === "event") seen.take(frame.cursor ?? null, frame.event);
        else if (frame.op !== "subscribed") seen.wrong.push(JSON.stringify(frame));
        if (left === 0 || seen.finished() === runs) socket.terminate();
      });
      await once(socket, "close");
    });
  });
});
