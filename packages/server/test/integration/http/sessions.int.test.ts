import type { CreateSessionReply, Page, Session, SessionEvent } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { newId } from "../../../src/lib/id.ts";
import { type Api, type ApiOptions, useApi } from "../../support/http/api.ts";
import { silentModel } from "../../support/http/silent-model.ts";
import { text } from "../../support/runtime/scripted-client.ts";

const open = useApi();

async function start(options: ApiOptions = {}): Promise<Api> {
  const api = await open(options);
  await api.agent();
  return api;
}

describe("creating sessions", () => {
  it("makes one, and says where it is", async () => {
    const api = await start();
    const reply = await api.post("/sessions", { agent: "tester", title: "T", metadata: { team: "red" } });
    expect(reply.status).toBe(201);
    const session = reply.json<Session>();
    expect(session).toMatchObject({
      title: "T",
      metadata: { team: "red" },
      status: "idle",
      owner: "usr_test",
    });
    expect(reply.headers.get("location")).toBe(`/api/v1/sessions/${session.id}`);
    expect((await api.get(`/sessions/${session.id}`)).json()).toEqual(session);
  });

  it("answers the first message that came with it", async () => {
    const api = await start();
    const session = await api.session({ input: "hi" });
    expect(session.input).toMatchObject({ position: 0, runId: expect.stringMatching(/^run_/) });
    const finished = await api.until(session.id, "run.finished");
    expect(finished.runId).toBe(session.input?.runId);
  });

  it("gives fifty callers with one key one session", async () => {
    const api = await start();
    const body = { agent: "tester", key: "chat-7", input: "hi" };
    const replies = await Promise.all(Array.from({ length: 50 }, () => api.post("/sessions", body)));
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(49);
    expect(new Set(replies.map((reply) => reply.json<Session>().id)).size).toBe(1);
    const inputs = replies.map((reply) => reply.json<CreateSessionReply>().input?.id);
    expect(new Set(inputs).size).toBe(50);
    const id = replies[0]?.json<Session>().id ?? "";
    const log = await api.harness.finished(id, 50);
    const taken = log.filter((event) => event.type === "user.message").map((event) => event.inputId);
    expect(taken).toHaveLength(50);
    expect(new Set(taken)).toEqual(new Set(inputs));
  });

  it("takes the session of a key out of the archive", async () => {
    const api = await start();
    const { id } = await api.session({ key: "k" });
    expect((await api.patch(`/sessions/${id}`, { archived: true })).json()).toMatchObject({
      status: "archived",
    });
    const again = await api.post("/sessions", { agent: "tester", key: "k", input: "are you there?" });
    expect(again.status).toBe(200);
    expect(again.json<Session>().id).toBe(id);
    await api.until(id, "run.finished");
    expect((await api.get(`/sessions/${id}`)).json()).toMatchObject({ status: "idle" });
  });

  it("refuses what it does not know", async () => {
    const api = await start();
    expect((await api.post("/sessions", { agent: "nobody" })).problem()).toMatchObject({
      status: 422,
      code: "unknown_agent",
    });
    await api.post("/agents/tester/archive");
    expect((await api.post("/sessions", { agent: "tester" })).problem()).toMatchObject({
      status: 409,
      code: "agent_archived",
    });
  });
});

describe("the list of sessions", () => {
  it("is filtered and paged", async () => {
    const api = await start();
    const made: Session[] = [];
    for (const team of ["red", "blue", "red"])
      made.push(await api.session({ title: `of ${team}`, metadata: { team } }));
    const ids = made.map(({ id }) => id).toReversed();
    const list = async (query: string) => (await api.get(`/sessions${query}`)).json<Page<Session>>();
    expect((await list("")).items.map(({ id }) => id)).toEqual(ids);
    const first = await list("?limit=2");
    expect(first.items).toHaveLength(2);
    const second = await list(`?limit=2&after=${first.next}`);
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
    expect(second.next).toBeNull();
    expect((await list("?metadata=team:red")).items).toHaveLength(2);
    expect((await list("?search=BLUE")).items.map(({ id }) => id)).toEqual([ids[1]]);
    expect((await list("?agent=tester&status=idle")).items).toHaveLength(3);
    expect((await list("?agent=nobody")).items).toEqual([]);
    expect((await list("?owner=usr_other")).items).toEqual([]);
    await api.patch(`/sessions/${ids[0]}`, { archived: true });
    expect((await list("")).items).toHaveLength(2);
    expect((await list("?archived=true")).items.map(({ id }) => id)).toEqual([ids[0]]);
  });
});

describe("changing a session", () => {
  it("changes what it says about itself, and the log tells", async () => {
    const api = await start();
    const other = await api.agent({ name: "other" });
    const { id } = await api.session();
    const reply = await api.patch(`/sessions/${id}`, {
      title: "New",
      metadata: { a: "b" },
      agent: "other",
      model: "test/big",
    });
    expect(reply.status).toBe(200);
    expect(reply.json()).toMatchObject({
      title: "New",
      metadata: { a: "b" },
      model: "test/big",
      agent: { id: other.id },
    });
    expect(await api.until(id, "session.updated")).toMatchObject({
      actor: { type: "user", id: "usr_test" },
      data: { title: "New" },
    });
  });

  it("does two changes of one request in their order", async () => {
    const api = await start();
    const { id } = await api.session();
    const reply = await api.patch(`/sessions/${id}`, { title: null, archived: true });
    expect(reply.json()).toMatchObject({ title: null, status: "archived" });
    const refused = await api.post(`/sessions/${id}/events`, {
      events: [{ type: "user.message", content: "hi" }],
    });
    expect(refused.problem()).toMatchObject({ status: 409, code: "session_archived" });
  });

  it("says which input to look for when nobody takes it in time", async () => {
    const api = await start({ operations: { syncWaitMs: 30 } });
    const { id } = await api.session();
    await api.harness.worker.stop(0);
    const reply = await api.patch(`/sessions/${id}`, { title: "Later" });
    expect(reply.status).toBe(202);
    expect(reply.json()).toEqual({ input: { id: expect.stringMatching(/^inp_/), position: 0, runId: null } });
  });

  it("ends its run before it is deleted, and nobody holds it any more", async () => {
    const api = await start({ answer: silentModel });
    const { id } = await api.session({ input: "go" });
    await api.until(id, "step.started");
    expect((await api.delete(`/sessions/${id}`)).status).toBe(204);
    expect((await api.get("/runtime/sessions")).json()).toEqual({ items: [], next: null });
  });

  it("deletes it with all that it had", async () => {
    const api = await start();
    const { id } = await api.session({ key: "k", input: "hi" });
    await api.until(id, "run.finished");
    expect((await api.delete(`/sessions/${id}`)).status).toBe(204);
    for (const path of ["", "/events", "/export", "/todos", "/files", "/runs", "/summary"]) {
      expect((await api.get(`/sessions/${id}${path}`)).problem()).toMatchObject({
        status: 404,
        code: "session_not_found",
      });
    }
    expect((await api.delete(`/sessions/${id}`)).status).toBe(404);
    expect((await api.session({ key: "k" })).id).not.toBe(id);
  });
});

describe("what a session tells", () => {
  it("exports the whole log as lines", async () => {
    const api = await start();
    const { id } = await api.session({ input: "hi" });
    const log = await api.harness.finished(id);
    const reply = await api.get(`/sessions/${id}/export`);
    expect(reply.headers.get("content-type")).toBe("application/jsonl");
    expect(
      reply.text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as SessionEvent),
    ).toEqual(log);
  });

  it("sums it up", async () => {
    const api = await start({ answer: () => text("It is four.") });
    const { id } = await api.session({ title: "Sums", input: "two and two?" });
    await api.until(id, "run.finished");
    expect((await api.get(`/sessions/${id}/summary`)).json()).toMatchObject({
      session: { id, title: "Sums" },
      firstMessage: { text: "two and two?" },
      lastMessage: { text: "two and two?" },
      lastAnswer: { text: "It is four." },
      counts: { messages: 1, answers: 1, runs: 1, steps: 1, toolCalls: 0 },
    });
  });

  it("keeps a list of todos", async () => {
    const api = await start();
    const { id } = await api.session();
    expect((await api.get(`/sessions/${id}/todos`)).json()).toEqual({ todos: [] });
    const todos = [
      { id: "1", content: "look", status: "in_progress" },
      { id: "2", content: "leap", status: "pending" },
    ];
    expect((await api.put(`/sessions/${id}/todos`, { todos })).json()).toEqual({ todos });
    expect((await api.get(`/sessions/${id}/todos`)).json()).toEqual({ todos });
    const twice = todos.map((todo) => ({ ...todo, id: "1" }));
    expect((await api.put(`/sessions/${id}/todos`, { todos: twice })).problem()).toMatchObject({
      status: 422,
      errors: [{ pointer: "/todos/1/id" }],
    });
    const both = todos.map((todo) => ({ ...todo, status: "in_progress" }));
    expect((await api.put(`/sessions/${id}/todos`, { todos: both })).status).toBe(422);
  });

  it("releases one that is quarantined", async () => {
    const api = await start();
    const { id } = await api.session();
    expect((await api.post(`/sessions/${id}/release`)).problem()).toMatchObject({
      status: 409,
      code: "not_quarantined",
    });
    await api.harness.worker.stop(0);
    const { store } = api.operations;
    const worker = newId("worker");
    const orgId = api.harness.orgId;
    await store.system.heartbeat(worker);
    const claim = await store.system.claim({
      orgId,
      sessionId: id,
      workerId: worker,
      leaseMs: 60_000,
      knownEventVersion: 1,
    });
    if (claim.ok) await store.system.quarantine({ orgId, sessionId: id, epoch: claim.epoch });
    const message = { events: [{ type: "user.message", content: "hi" }] };
    expect((await api.post(`/sessions/${id}/events`, message)).problem().code).toBe("session_quarantined");
    expect((await api.post(`/sessions/${id}/release`)).json()).toMatchObject({ id, status: "idle" });
    expect((await api.post(`/sessions/${id}/events`, message)).status).toBe(202);
  });
});
