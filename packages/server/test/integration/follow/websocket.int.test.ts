import { describe, expect, it, vi } from "vitest";
import { hintTopic } from "../../../src/coordination/session-frames.ts";
import { longSession } from "../../support/follow/long-session.ts";
import { useServer } from "../../support/follow/use-server.ts";
import { openWs } from "../../support/follow/ws-client.ts";

const start = useServer();

const message = { type: "user.message", content: "hi" } as const;

describe("GET /sessions/{id}/ws", () => {
  it("streams the session's events and takes inputs with acks", async () => {
    const { api, port } = await start();
    const { id } = await api.session();
    const client = openWs(port, `/sessions/${id}/ws`);
    expect(await client.until("subscribed")).toEqual({ op: "subscribed", id: "events", cursor: "1.0" });
    client.send({ op: "send", id: "m1", events: [{ ...message, clientId: "c1" }] });
    const accepted = await client.until("accepted");
    expect(accepted).toMatchObject({ id: "m1", inputs: [{ position: 0 }] });
    await client.until("event", ({ event }) => event.type === "run.finished");
    const log = await api.harness.log(id);
    const sent = client.frames.flatMap((frame) => (frame.op === "event" && frame.cursor ? [frame] : []));
    expect(sent).toEqual(
      log.map((event) => ({ op: "event", id: "events", cursor: `1.${event.seq}`, event })),
    );
    expect(log.find(({ type }) => type === "user.message")?.inputId).toBe(accepted.inputs[0]?.id);
    client.send({ op: "ping", id: "p" });
    expect(await client.until("pong")).toEqual({ op: "pong", id: "p" });
  });

  it("begins after ?after= with the filters of the address", async () => {
    const { api, port } = await start();
    const { id } = await api.session({ input: "hi" });
    await api.until(id, "run.finished");
    const client = openWs(port, `/sessions/${id}/ws?after=1.2&types=run.finished`);
    await client.until("event");
    expect(client.frames.map((frame) => (frame.op === "event" ? frame.event.type : frame.op))).toEqual([
      "subscribed",
      "run.finished",
    ]);
  });

  it("carries nothing of other sessions", async () => {
    const { api, port } = await start();
    const [mine, other] = [await api.session(), await api.session()];
    const client = openWs(port, `/sessions/${mine.id}/ws`);
    await client.until("subscribed");
    client.send({ op: "subscribe", id: "s", sessionId: other.id });
    client.send({ op: "send", id: "m", sessionId: other.id, events: [message] });
    for (const id of ["s", "m"]) {
      expect(await client.until("error", (frame) => frame.id === id)).toMatchObject({
        code: "validation_failed",
      });
    }
    expect(await api.harness.log(other.id)).toHaveLength(1);
  });

  it("says that an archived session has nothing more, and still takes inputs", async () => {
    const { api, port } = await start();
    const { id } = await api.session();
    await api.patch(`/sessions/${id}`, { archived: true });
    const { seq } = await api.until(id, "session.archived");
    const client = openWs(port, `/sessions/${id}/ws?after=1.${seq}`);
    expect(await client.until("end")).toMatchObject({ id: "events", code: "archived" });
    client.send({ op: "send", id: "m", events: [message] });
    expect(await client.until("error")).toMatchObject({ id: "m", code: "session_archived" });
  });

  it.each([
    ["/sessions/ses_00000000000000000000000000/ws", 4404, "session_not_found"],
    ["/sessions/SESSION/ws?after=1.999", 4409, "cursor_invalid"],
    ["/sessions/SESSION/ws?after=x", 4422, "validation_failed"],
    ["/sessions/SESSION/ws?types=nothing", 4422, "validation_failed"],
    ["/ws?after=1.1", 4422, "validation_failed"],
  ])("closes %s with %i", async (path, close, code) => {
    const { api, port } = await start();
    const { id } = await api.session();
    const client = openWs(port, path.replace("SESSION", id));
    expect(await client.closed).toBe(close);
    expect(client.frames).toEqual([{ op: "error", code, message: expect.any(String) }]);
  });
});

describe("GET /ws", () => {
  it("carries several sessions and hints over one socket, until it is told to stop", async () => {
    const { api, port } = await start();
    const [one, two] = [await api.session({ input: "one" }), await api.session()];
    const client = openWs(port, "/ws");
    await client.status;
    client.send({ op: "subscribe", id: "1", sessionId: one.id });
    client.send({ op: "subscribe", id: "2", sessionId: two.id, after: "1.1" });
    client.send({ op: "subscribe", id: "hints", topic: "approvals" });
    await client.until("subscribed", ({ id }) => id === "hints");
    client.send({ op: "send", id: "m", sessionId: two.id, events: [message] });
    for (const id of ["1", "2"]) {
      await client.until("event", (frame) => frame.id === id && frame.event.type === "run.finished");
    }
    const seqs = client.frames.flatMap((frame) =>
      frame.op === "event" && frame.id === "2" && "seq" in frame.event ? [frame.event.seq] : [],
    );
    expect(seqs).toEqual((await api.harness.log(two.id)).slice(1).map(({ seq }) => seq));
    api.operations.bus.publish(hintTopic(api.harness.orgId, "approvals"), { sessionId: one.id });
    const hint = await client.until("hint", ({ sessionId }) => sessionId === one.id);
    expect(hint).toEqual({ op: "hint", id: "hints", topic: "approvals", sessionId: one.id });

    client.send({ op: "unsubscribe", id: "2" });
    expect(await client.until("end")).toMatchObject({ id: "2", code: "unsubscribed" });
    const before = client.frames.length;
    await api.say(two.id, "again");
    await api.harness.finished(two.id, 2);
    client.send({ op: "ping", id: "after" });
    await client.until("pong");
    expect(client.frames.slice(before).filter(({ op }) => op !== "hint")).toEqual([
      { op: "pong", id: "after" },
    ]);
  });

  it("answers what is wrong with a frame and goes on", async () => {
    const { api, port } = await start({ maxSubscriptions: 1 });
    const { id: sessionId } = await api.session();
    const client = openWs(port, "/ws");
    await client.status;
    client.socket.send("{");
    client.socket.send(JSON.stringify({ op: "dance", id: "d" }));
    client.socket.send(JSON.stringify({ op: "ping", id: "extra", more: true }));
    client.socket.send(Buffer.from("{}"));
    client.send({ op: "send", id: "nowhere", events: [message] });
    client.send({ op: "subscribe", id: "gone", sessionId: "ses_00000000000000000000000000" });
    client.send({ op: "subscribe", id: "ahead", sessionId, after: "1.99" });
    client.send({ op: "subscribe", id: "s", sessionId });
    client.send({ op: "subscribe", id: "s", sessionId });
    client.send({ op: "subscribe", id: "more", sessionId });
    client.send({ op: "ping", id: "last" });
    await client.until("pong");
    const errors = client.frames.flatMap((frame) => (frame.op === "error" ? [[frame.id, frame.code]] : []));
    expect(errors).toEqual([
      [undefined, "malformed_json"],
      ["d", "validation_failed"],
      ["extra", "validation_failed"],
      [undefined, "validation_failed"],
      ["nowhere", "validation_failed"],
      ["gone", "session_not_found"],
      ["ahead", "cursor_invalid"],
      ["s", "validation_failed"],
      ["more", "too_many_streams"],
    ]);
  });

  it("answers frames in the order in which they came, however many come at once", async () => {
    const { port } = await start();
    const client = openWs(port, "/ws");
    await client.status;
    const ids = Array.from({ length: 200 }, (_, i) => String(i));
    for (const id of ids) client.send({ op: "ping", id });
    await client.until("pong", ({ id }) => id === "199");
    expect(client.frames.map((frame) => ("id" in frame ? frame.id : null))).toEqual(ids);
  });

  it("ends a subscription whose session is deleted, and only that", async () => {
    const { api, port } = await start({ tickMs: 20 });
    const { id: sessionId } = await api.session();
    const client = openWs(port, "/ws");
    await client.status;
    client.send({ op: "subscribe", id: "s", sessionId });
    await client.until("event");
    await api.delete(`/sessions/${sessionId}`);
    expect(await client.until("end")).toMatchObject({ id: "s", code: "session_not_found" });
    client.send({ op: "ping" });
    await client.until("pong");
  });

  it("closes with 1009 when a frame is too large", async () => {
    const { port } = await start({ maxMessage: 1_000 });
    const client = openWs(port, "/ws");
    await client.status;
    client.socket.send("x".repeat(1_001));
    expect(await client.closed).toBe(1009);
  });

  it("closes with 1013 above the streams of a principal, and when the server stops", async () => {
    const { at, port } = await start({ maxStreams: 1 });
    const first = openWs(port, "/ws");
    await first.status;
    first.send({ op: "ping" });
    await first.until("pong");
    const second = openWs(port, "/ws");
    expect(await second.closed).toBe(1013);
    expect(second.frames).toMatchObject([{ op: "error", code: "too_many_streams" }]);
    await at.streams.closeAll();
    expect(await first.closed).toBe(1013);
    expect(first.frames.at(-1)).toMatchObject({ op: "error", code: "shutting_down" });
    expect(at.streams.sockets.size).toBe(0);
  });

  it("keeps no more for a client that does not read than its buffer and a page", async () => {
    const { api, port, at } = await start({ maxUnsent: 262_144, pageBytes: 262_144 });
    const id = await longSession(api, { events: 60, bytes: 250_000 });
    const client = openWs(port, `/sessions/${id}/ws`);
    await client.status;
    client.socket.pause();
    const unsent = () => at.sockets.at(-1)?.writableLength ?? 0;
    await vi.waitFor(() => expect(unsent()).toBeGreaterThan(262_144), { timeout: 10_000 });
    expect(unsent()).toBeLessThan(3 * 262_144);
    client.socket.resume();
    const sent = () =>
      client.frames.flatMap((frame) =>
        frame.op === "event" && "seq" in frame.event ? [frame.event.seq] : [],
      );
    await vi.waitFor(() => expect(sent()).toHaveLength(60), { timeout: 20_000 });
    expect(sent()).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  });
});
