import type { Session, SessionEvent } from "@berth/contract";
import { describe, expect, it, vi } from "vitest";
import { openRawSse, type RawSse, type SseFrame } from "../../support/follow/raw-sse.ts";
import { apiKey, type LiveServer } from "../../support/follow/server.ts";
import { longSession } from "../../support/follow/long-session.ts";
import { useServer } from "../../support/follow/use-server.ts";

const start = useServer();

interface Opened {
  readonly stream: RawSse;
  readonly frames: SseFrame[];
  until(found: (frame: SseFrame) => boolean): Promise<void>;
}

function open(at: LiveServer, sessionId: string, query = "", lastEventId: string | null = null): Opened {
  const frames: SseFrame[] = [];
  const path = `/api/v1/sessions/${sessionId}/events/stream${query}`;
  const stream = openRawSse({ port: at.port, path, lastEventId, onFrame: (frame) => frames.push(frame) });
  const until = (found: (frame: SseFrame) => boolean) =>
    vi.waitFor(() => expect(frames.some(found)).toBe(true), { timeout: 10_000, interval: 5 });
  return { stream, frames, until };
}

const statusOf = async ({ stream }: Opened) => Number((await stream.head).split(" ")[1]);
const isFinished = ({ type }: SseFrame) => type === "run.finished";
const logged = (frames: readonly SseFrame[]) => frames.filter(({ id }) => id !== null);

describe("GET /sessions/{id}/events/stream", () => {
  it("streams the log, then what happens, with the cursor as id and the type as event", async () => {
    const { api, at } = await start();
    const { id } = await api.session();
    const opened = open(at, id);
    await opened.until(({ type }) => type === "session.created");
    await api.say(id, "hi");
    await opened.until(isFinished);
    const log = await api.harness.log(id);
    expect(logged(opened.frames)).toEqual(
      log.map((event) => ({ id: `1.${event.seq}`, type: event.type, data: event })),
    );
    const head = (await opened.stream.head).toLowerCase();
    expect(head).toContain("200 ok");
    expect(head).toContain("content-type: text/event-stream");
    expect(head).toMatch(/x-request-id: req_/);
    expect(opened.stream.retry).toBe(1_000);
    expect(
      opened.frames.filter(({ id: none, type }) => none === null && type === "agent.message.delta"),
    ).not.toEqual([]);
    opened.stream.cut();
  });

  it("begins after Last-Event-ID, which comes before ?after=", async () => {
    const { api, at } = await start();
    const { id } = await api.session({ input: "hi" });
    await api.until(id, "run.finished");
    const resumed = open(at, id, "?after=1.1", "1.3");
    const after = open(at, id, "?after=1.2");
    await Promise.all([resumed.until(isFinished), after.until(isFinished)]);
    expect(logged(resumed.frames)[0]?.id).toBe("1.4");
    expect(logged(after.frames)[0]?.id).toBe("1.3");
  });

  it("filters by lists and by repeated names", async () => {
    const { api, at } = await start();
    const { id } = await api.session({ input: "hi" });
    await api.until(id, "run.finished");
    const lists = open(at, id, "?types=run.started,run.finished&channel=progress,control");
    const repeated = open(at, id, "?types=run.started&types=run.finished&namespace=");
    await Promise.all([lists.until(isFinished), repeated.until(isFinished)]);
    for (const { frames } of [lists, repeated]) {
      expect(frames.map(({ type }) => type)).toEqual(["run.started", "run.finished"]);
    }
  });

  it("answers 204 for an archived session only when nothing lies after the cursor", async () => {
    const { api, at } = await start();
    const { id } = await api.session();
    await api.patch(`/sessions/${id}`, { archived: true });
    const { seq } = await api.until(id, "session.archived");
    expect(await statusOf(open(at, id, `?after=1.${seq}`))).toBe(204);
    const behind = open(at, id, `?after=1.${seq - 1}`);
    await behind.until(({ type }) => type === "session.archived");
    expect(await statusOf(behind)).toBe(200);
  });

  it.each([
    ["?after=nonsense", 422],
    ["?after=1.9999", 409],
    ["?after=7.1", 409],
    ["?types=agent.mesage", 422],
    ["?channel=news", 422],
    ["?colour=red", 422],
  ])("refuses %s with %i", async (query, status) => {
    const { api, at } = await start();
    const { id } = await api.session();
    expect(await statusOf(open(at, id, query))).toBe(status);
  });

  it("answers 404 for a session that is not there, and ends the stream of one that is deleted", async () => {
    const { api, at } = await start({ tickMs: 20 });
    expect(await statusOf(open(at, "ses_00000000000000000000000000"))).toBe(404);
    const { id } = await api.session();
    const opened = open(at, id);
    await opened.until(({ type }) => type === "session.created");
    await api.delete(`/sessions/${id}`);
    await opened.stream.closed;
    expect(opened.frames.at(-1)).toMatchObject({
      id: null,
      type: "end",
      data: { code: "session_not_found" },
    });
  });

  it("refuses more streams than a principal may have until one of them is gone", async () => {
    const { api, at } = await start({ maxStreams: 2 });
    const { id } = await api.session();
    const opened = [open(at, id), open(at, id)];
    for (const one of opened) await one.until(({ type }) => type === "session.created");
    expect(await statusOf(open(at, id))).toBe(429);
    opened[0]?.stream.cut();
    await vi.waitFor(() => expect(at.streams.events.size).toBe(1), { timeout: 10_000 });
    expect(await statusOf(open(at, id))).toBe(200);
  });

  it("shows a fork its own id, in the part that it shares too", async () => {
    const { api, at } = await start();
    const { id } = await api.session({ input: "hi" });
    await api.until(id, "run.finished");
    const fork = (await api.post(`/sessions/${id}/fork`, {})).json<Session>();
    const opened = open(at, fork.id);
    await opened.until(({ type }) => type === "session.forked");
    expect(opened.frames.length).toBeGreaterThan(5);
    expect(opened.frames.map(({ data }) => (data as SessionEvent).sessionId)).toEqual(
      opened.frames.map(() => fork.id),
    );
  });

  it("does not stream to HEAD", async () => {
    const { api, at } = await start();
    const { id } = await api.session();
    const url = `${at.url}/api/v1/sessions/${id}/events/stream`;
    const response = await fetch(url, { method: "HEAD", headers: { "x-api-key": apiKey } });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(at.streams.events.size).toBe(0);
  });

  it("ends with a comment when the server stops, and refuses new ones", async () => {
    const { api, at } = await start();
    const { id } = await api.session();
    const opened = open(at, id);
    await opened.until(({ type }) => type === "session.created");
    await at.streams.closeAll();
    await opened.stream.closed;
    expect(opened.stream.comments.at(-1)).toContain("the server is stopping");
    expect(await statusOf(open(at, id))).toBe(503);
  });

  it("streams a body where there is no Node server", async () => {
    const { api } = await start();
    const { id } = await api.session({ input: "hi" });
    await api.until(id, "run.finished");
    const request = new Request(`http://berth.test/api/v1/sessions/${id}/events/stream`, {
      headers: { authorization: "Bearer brt_test-key" },
    });
    const response = await api.appFor(api.principal)(request);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    let text = "";
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes).toString();
      if (text.includes("event: run.finished")) break;
    }
    expect([...text.matchAll(/^id: 1\.(\d+)$/gm)].map(([, seq]) => Number(seq))).toEqual(
      (await api.harness.log(id)).map((event: SessionEvent) => event.seq),
    );
  });

  it("keeps no more for a client that does not read than its buffer and a page", async () => {
    const { api, at } = await start({ maxUnsent: 262_144, pageBytes: 262_144 });
    const id = await longSession(api, { events: 60, bytes: 250_000 });
    const seqs: number[] = [];
    const path = `/api/v1/sessions/${id}/events/stream`;
    const onFrame = ({ data }: SseFrame) => void seqs.push((data as SessionEvent).seq);
    const stream = openRawSse({ port: at.port, path, onFrame });
    await stream.head;
    stream.pause();
    const unsent = () => at.sockets.at(-1)?.writableLength ?? 0;
    await vi.waitFor(() => expect(unsent()).toBeGreaterThan(262_144), { timeout: 10_000 });
    // It stays where it is: the rest waits in the store.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(unsent()).toBeLessThan(3 * 262_144);
    stream.resume();
    await vi.waitFor(() => expect(seqs).toHaveLength(60), { timeout: 20_000 });
    expect(seqs).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    stream.cut();
  });
});
