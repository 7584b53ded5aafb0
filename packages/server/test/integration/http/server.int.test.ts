import { liveSession, me, runtimeHealth, runtimeStats, system } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { useApi } from "../../support/http/api.ts";
import { silentModel } from "../../support/http/silent-model.ts";

const start = useApi();

describe("the server about itself", () => {
  it("says what it is and who is calling", async () => {
    const api = await start();
    await api.agent();
    await api.session();
    const told = system.parse((await api.get("/system")).json());
    expect(told).toMatchObject({
      mode: "single",
      store: "sqlite",
      sessions: { total: 1 },
      sandbox: { label: expect.any(String) },
    });
    expect(me.parse((await api.get("/me")).json())).toMatchObject({
      principal: { id: "usr_test" },
      org: { id: api.harness.orgId, slug: "default", name: "default" },
    });
  });

  it("answers health and the description to everybody, and the rest to nobody without a key", async () => {
    const api = await start();
    const anonymous = { anonymous: true };
    for (const path of ["/", "/healthz", "/readyz", "/api/v1/openapi.json"]) {
      expect([path, (await api.send("GET", path, anonymous)).status]).toEqual([path, 200]);
    }
    for (const path of ["/metrics", "/api/v1/me", "/api/v1/sessions", "/api/v1/nothing"]) {
      const reply = await api.send("GET", path, anonymous);
      expect({ path, ...reply.problem() }).toMatchObject({ path, status: 401, code: "unauthenticated" });
      expect(reply.headers.get("www-authenticate")).toMatch(/^Bearer/);
    }
  });

  it("greets a browser with a page and a program with JSON", async () => {
    const api = await start();
    const page = await api.send("GET", "/", { headers: { accept: "text/html,*/*" } });
    expect(page.headers.get("content-type")).toMatch("text/html");
    expect(page.text).toContain("<h1>Berth</h1>");
    expect((await api.send("GET", "/")).json()).toMatchObject({
      name: "berth",
      links: { health: "/healthz" },
    });
  });

  it("shows its metrics, by route and not by whom", async () => {
    const api = await start();
    await api.agent();
    const { id } = await api.session();
    await api.get(`/sessions/${id}`);
    const { text, headers } = await api.send("GET", "/metrics");
    expect(headers.get("content-type")).toMatch("text/plain");
    expect(text).toContain('route="/api/v1/sessions/{sessionId}"');
    expect(text).not.toContain(id);
  });

  it("shows its metrics to everybody when it is set so", async () => {
    const api = await start({ http: { openMetrics: true } });
    expect((await api.send("GET", "/metrics", { anonymous: true })).status).toBe(200);
  });
});

describe("the runtime", () => {
  it("is told by its workers", async () => {
    const api = await start();
    await api.agent();
    const { id } = await api.session({ input: "hi" });
    await api.until(id, "run.finished");
    expect(runtimeStats.parse((await api.get("/runtime/stats")).json())).toMatchObject({
      live: 1,
      claiming: true,
    });
    const { workers, ...worst } = (await api.get("/runtime/health")).json<{ workers: unknown[] }>();
    expect(runtimeHealth.parse(worst)).toMatchObject({ ok: true, workerId: api.harness.worker.id });
    expect(workers).toEqual([worst]);
    const { items } = (await api.get("/runtime/sessions")).json<{ items: unknown[] }>();
    expect(items.map((item) => liveSession.parse(item).sessionId)).toEqual([id]);
  });

  it("lets go of sessions when it is asked", async () => {
    const api = await start();
    await api.agent();
    const { id } = await api.session({ input: "hi" });
    await api.until(id, "run.finished");
    expect((await api.delete(`/runtime/sessions/${id}`)).status).toBe(204);
    expect((await api.delete(`/runtime/sessions/${id}`)).problem()).toMatchObject({
      status: 404,
      code: "session_not_live",
    });
    await api.say(id, "again");
    await api.harness.finished(id, 2);
    expect((await api.post("/runtime/cleanup")).json()).toEqual({ evicted: 1 });
    expect((await api.get("/runtime/sessions")).json()).toEqual({ items: [], next: null });
  });

  it("keeps a session that runs", async () => {
    const api = await start({
      answer: silentModel,
    });
    await api.agent();
    const { id } = await api.session({ input: "hi" });
    await api.until(id, "step.started");
    const reply = await api.delete(`/runtime/sessions/${id}`);
    expect(reply.problem()).toMatchObject({ status: 409, code: "session_in_use", retryable: true });
  });

  it("says that there is no worker when there is none", async () => {
    const api = await start({ operations: { workerAnswerMs: 20 } });
    await api.harness.worker.stop(0);
    for (const path of ["/runtime/stats", "/runtime/health"]) {
      expect((await api.get(path)).problem()).toMatchObject({
        status: 503,
        code: "no_worker",
        retryable: true,
      });
    }
  });
});
