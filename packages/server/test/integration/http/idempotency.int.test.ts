import { describe, expect, it } from "vitest";
import { type Api, type ApiOptions, useApi } from "../../support/http/api.ts";

const open = useApi();

async function start(options: ApiOptions = {}): Promise<Api> {
  const api = await open(options);
  await api.agent();
  return api;
}

const message = { type: "user.message", content: "hi" };

describe("an Idempotency-Key", () => {
  const key = { headers: { "idempotency-key": "k-1" } };

  it.each(["k-1", '"k-1"'])("gives the same reply again: %s", async (written) => {
    const api = await start();
    const body = { agent: "tester", input: "hi" };
    const first = await api.post("/sessions", body, key);
    const again = await api.post("/sessions", body, { headers: { "idempotency-key": written } });
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await api.get("/sessions")).json<{ items: unknown[] }>().items).toHaveLength(1);
  });

  it("minds the value of a body, not its writing", async () => {
    const api = await start();
    const first = await api.post("/sessions", '{"agent":"tester","title":"T"}', key);
    const again = await api.post("/sessions", '{ "title": "T", "agent": "tester" }', key);
    expect(again.text).toBe(first.text);
    const other = await api.post("/sessions", { agent: "tester", title: "other" }, key);
    expect(other.problem()).toMatchObject({ status: 422, code: "idempotency_mismatch" });
  });

  it("is another one for another route and for another caller", async () => {
    const api = await start();
    const { id } = await api.session();
    const body = { events: [message] };
    expect((await api.post("/sessions", { agent: "tester" }, key)).status).toBe(201);
    expect((await api.post(`/sessions/${id}/events`, body, key)).status).toBe(202);
    const other = api.appFor({ ...api.principal, id: "usr_second" });
    const theirs = await api.post(
      "/sessions",
      { agent: "tester", title: "theirs" },
      { ...key, fetch: other },
    );
    expect(theirs.status).toBe(201);
  });

  it("lets one of many through", async () => {
    const api = await start();
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => api.post("/sessions", { agent: "tester" }, key)),
    );
    expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
    expect(replies.filter(({ headers }) => headers.get("idempotency-replayed") === null)).toHaveLength(1);
  });

  it("may be used again after a refusal", async () => {
    const api = await start();
    expect((await api.post("/sessions", { agent: "late" }, key)).status).toBe(422);
    await api.agent({ name: "late" });
    expect((await api.post("/sessions", { agent: "late" }, key)).status).toBe(201);
  });

  it("works for changes that wait for the log", async () => {
    const api = await start();
    const { id } = await api.session({ input: "hi" });
    const end = (await api.until(id, "run.finished")).seq;
    const rewind = () => api.post(`/sessions/${id}/rewind`, { toSeq: end }, key);
    const first = await rewind();
    const again = await rewind();
    expect([first.status, again.status]).toEqual([200, 200]);
    const log = await api.harness.log(id);
    expect(log.filter((event) => event.type === "session.rewound")).toHaveLength(1);
    const fork = () => api.post(`/sessions/${id}/fork`, { seq: end }, key);
    expect((await fork()).text).toBe((await fork()).text);
  });
});
