import type { ServerResponse } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import { formatCursor, parseCursor, type SessionEvent, type StreamEvent } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { collect, live, message, sessionId, sseOf } from "../test/support/events.ts";
import { sendJson, startServer, startSse } from "../test/support/http-server.ts";
import { createClient } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { FollowedEvent } from "./event-frame.ts";
import type { FollowState } from "./follow.ts";

const quick = { backoff: { baseMs: 1, capMs: 1 } };
const log = [message(1, "one"), message(2, "zwei: ü €"), message(3, "three"), message(4, "four")];

/** Reads until `count` events of the log have come. */
async function read(events: AsyncGenerator<FollowedEvent>, count: number): Promise<FollowedEvent[]> {
  const found: FollowedEvent[] = [];
  for await (const event of events) {
    found.push(event);
    if (found.filter((one) => "seq" in one).length === count) break;
  }
  return found;
}

function afterOf(id: string | string[] | undefined): number {
  return typeof id === "string" ? (parseCursor(id)?.seq ?? -1) : 0;
}

describe("a follower", () => {
  const short = [1, 2, 3].map((seq) => ({ seq, type: "x", data: "ü€" }) as unknown as SessionEvent);
  const whole = Buffer.from(short.map((event) => sseOf(event)).join(""));
  const cuts = Array.from({ length: whole.length + 1 }, (_, at) => at);

  it("sees every event once and in order, wherever the first connection is cut", async () => {
    const begun = new Set<string>();
    await using server = await startServer(({ headers, path }, response) => {
      startSse(response);
      const cut = Number(/cut-(\d+)/.exec(path)?.[1]);
      const rest = short.filter((event) => event.seq > afterOf(headers["last-event-id"]));
      if (begun.has(path)) return void response.write(rest.map((event) => sseOf(event)).join(""));
      begun.add(path);
      response.write(whole.subarray(0, cut), () => response.destroy());
    });
    const client = createClient({ baseUrl: server.url, ...quick });
    for (const cut of cuts) {
      const found = await read(client.session(`cut-${cut}`).events(), short.length);
      expect([cut, ...found.map(({ cursor }) => cursor)]).toEqual([cut, "1.1", "1.2", "1.3"]);
      expect(found).toEqual(short.map((event) => ({ ...event, cursor: formatCursor(1, event.seq) })));
    }
    // Twice as many connections as bytes, one after the other.
  }, 60_000);

  it("drops what it has seen, when a server begins too early", async () => {
    await using server = await startServer((_, response, nth) => {
      startSse(response);
      const sent = nth === 0 ? log.slice(0, 2) : [...log, ...log];
      response.write(sent.map((event) => sseOf(event)).join(""), () => nth === 0 && response.destroy());
    });
    const events = createClient({ baseUrl: server.url, ...quick })
      .session(sessionId)
      .events();
    expect((await read(events, 4)).map((event) => "seq" in event && event.seq)).toEqual([1, 2, 3, 4]);
  });

  it("comes back for events that a stream left out, and gives up when they are never there", async () => {
    let mended = false;
    await using server = await startServer((_, response, nth) => {
      startSse(response);
      const sent = mended && nth > 1 ? log : [log[0], log[2]];
      response.write(sent.map((event) => sseOf(event as StreamEvent)).join(""));
    });
    const session = createClient({ baseUrl: server.url, ...quick }).session(sessionId);
    await expect(read(session.events(), 4)).rejects.toThrow("from event 1 to 3");
    mended = true;
    expect((await read(session.events(), 4)).map((event) => "seq" in event && event.seq)).toEqual([
      1, 2, 3, 4,
    ]);
  });

  it("starts after a cursor, passes filters on and goes on after the events that they left out", async () => {
    await using server = await startServer((_, response, nth) => {
      startSse(response);
      if (nth === 0)
        response.write("id: 1.9\nevent: cursor\ndata: {}\n\nid: 1.12\n\n", () => response.destroy());
      else response.write(sseOf(message(20, "late")));
    });
    const session = createClient({ baseUrl: server.url, ...quick }).session(sessionId);
    const found = await read(
      session.events({
        after: "1.5",
        types: ["agent.message", "run.finished"],
        channel: "progress",
        namespace: "",
      }),
      1,
    );
    expect(found[0]?.cursor).toBe("1.20");
    expect(server.seen.map(({ headers }) => headers["last-event-id"])).toEqual(["1.5", "1.12"]);
    expect(Object.fromEntries(server.seen[0]?.query ?? [])).toEqual({
      types: "agent.message,run.finished",
      channel: "progress",
      namespace: "",
    });
  });

  it("hands on live events, which have no cursor", async () => {
    const delta = live("agent.message.delta", {
      messageId: "msg_1",
      blockId: 0,
      attempt: 1,
      offset: 0,
      text: "o",
    });
    await using server = await startServer((_, response) => {
      startSse(response);
      response.write(sseOf(delta) + sseOf(message(1, "one")));
    });
    const found = await read(createClient({ baseUrl: server.url }).session(sessionId).events(), 1);
    expect(found).toEqual([delta, { ...message(1, "one"), cursor: "1.1" }]);
  });

  it.each([
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "session_not_found"],
    [409, "cursor_invalid"],
  ])("gives up at %s %s", async (status, code) => {
    await using server = await startServer((_, response) =>
      sendJson(response, status, { code, detail: "no" }),
    );
    const events = createClient({ baseUrl: server.url, ...quick })
      .session(sessionId)
      .events();
    await expect(read(events, 1)).rejects.toMatchObject({ status, code });
    expect(server.seen).toHaveLength(1);
  });

  it.each([500, 502, 503, 504, 429])("tries again at %s", async (status) => {
    const states: FollowState["status"][] = [];
    await using server = await startServer((_, response, nth) => {
      if (nth < 3) return sendJson(response, status, { code: "wait" });
      startSse(response);
      response.write(sseOf(message(1, "one")));
    });
    const onState = (state: FollowState) => states.push(state.status);
    await read(
      createClient({ baseUrl: server.url, ...quick })
        .session(sessionId)
        .events({ onState }),
      1,
    );
    expect(states).toEqual(["reconnecting", "reconnecting", "reconnecting", "connected"]);
  });

  it("ends when nothing can come any more", async () => {
    await using server = await startServer((_, response) => void response.writeHead(204).end());
    const found = await collect(createClient({ baseUrl: server.url }).session(sessionId).events());
    expect(found).toEqual([]);
  });

  it("takes a stream's last word: for good, or until it comes back", async () => {
    await using server = await startServer((_, response, nth) => {
      startSse(response);
      const code = nth === 0 ? "internal" : "session_not_found";
      response.end(
        `${nth === 0 ? sseOf(message(1, "one")) : ""}event: end\ndata: {"code":"${code}","message":"gone"}\n\n`,
      );
    });
    const events = createClient({ baseUrl: server.url, ...quick })
      .session(sessionId)
      .events();
    expect((await events.next()).value).toMatchObject({ seq: 1 });
    await expect(events.next()).rejects.toMatchObject({ status: 404, code: "session_not_found" });
    expect(server.seen.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "1.1"]);
  });

  it("opens a new connection when one brings nothing for 30 s, and none while heartbeats come", async () => {
    const timers = new Map<number, { ms: number; call: () => void }>();
    let next = 0;
    const clock: Clock = {
      now: () => 0,
      after(ms, call) {
        const id = (next += 1);
        timers.set(id, { ms, call });
        return () => void timers.delete(id);
      },
    };
    const open: ServerResponse[] = [];
    await using server = await startServer((_, response) => {
      startSse(response);
      open.push(response);
    });
    const session = createClient({ baseUrl: server.url, clock, random: () => 0 }).session(sessionId);
    const states: FollowState[] = [];
    const events = session.events({ onState: (state) => void states.push(state) });
    const first = events.next();
    const silences = () => [...timers].filter(([, { ms }]) => ms === 30_000).map(([id]) => id);
    await until(() => open.length === 1 && states.length === 1 && silences().length === 1);
    const before = silences()[0];
    open[0]?.write(": heartbeat\n\n");
    // The heartbeat starts the time anew.
    await until(() => silences().length === 1 && silences()[0] !== before);
    timers.get(silences()[0] ?? 0)?.call();
    await until(() => [...timers.values()].some(({ ms }) => ms === 0));
    for (const [, { ms, call }] of timers) if (ms === 0) call();
    await until(() => open.length === 2);
    open[1]?.write(sseOf(message(1, "one")));
    expect((await first).value).toMatchObject({ seq: 1 });
    expect(states.map(({ status }) => status)).toEqual(["connected", "reconnecting", "connected"]);
    await events.return(undefined);
    expect(timers.size).toBe(0);
  });

  it("leaves no timer and no socket when it is aborted, at any moment", async () => {
    const active = new Set<() => void>();
    const clock: Clock = {
      now: () => Date.now(),
      after(ms, call) {
        const timer = setTimeout(call, ms);
        const cancel = () => {
          clearTimeout(timer);
          active.delete(cancel);
        };
        active.add(cancel);
        return cancel;
      },
    };
    const moments = ["connect", "open", "event", "pause"] as const;
    for (const moment of moments) {
      const stop = new AbortController();
      await using server = await startServer((_, response) => {
        if (moment === "connect") return stop.abort();
        if (moment === "pause") return void response.destroy();
        startSse(response);
        if (moment === "event") response.write(sseOf(message(1, "one")));
      });
      const client = createClient({
        baseUrl: server.url,
        clock,
        backoff: { baseMs: 60_000, capMs: 60_000 },
        random: () => 0.9,
      });
      const onState = ({ status }: FollowState) => {
        if (
          (moment === "open" && status === "connected") ||
          (moment === "pause" && status === "reconnecting")
        )
          queueMicrotask(() => stop.abort());
      };
      for await (const _ of client.session(sessionId).events({ signal: stop.signal, onState })) stop.abort();
      expect([moment, active.size]).toEqual([moment, 0]);
      await until(() => server.sockets() === 0);
    }
  });

  it("closes its connection when the reader leaves", async () => {
    await using server = await startServer((_, response) => {
      startSse(response);
      response.write(sseOf(message(1, "one")));
    });
    for await (const _ of createClient({ baseUrl: server.url }).session(sessionId).events()) break;
    await until(() => server.sockets() === 0);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
