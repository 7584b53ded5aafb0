import { describe, expect, it } from "vitest";
import { type Api, type ApiOptions, useApi } from "../../support/http/api.ts";

const open = useApi();

async function start(options: ApiOptions = {}): Promise<Api> {
  const api = await open(options);
  await api.agent();
  return api;
}

const message = { type: "user.message", content: "hi" };

describe("every response", () => {
  it("carries the caller's request id, or a new one when that is none", async () => {
    const api = await start();
    const own = await api.get("/me", { headers: { "x-request-id": "trace-7.a" } });
    expect(own.headers.get("x-request-id")).toBe("trace-7.a");
    const bad = await api.get("/nothing", { headers: { "x-request-id": "a b\tc" } });
    expect(bad.headers.get("x-request-id")).toMatch(/^req_/);
    expect(bad.problem().requestId).toBe(bad.headers.get("x-request-id"));
  });

  it("tells browsers to keep, guess and run nothing", async () => {
    const api = await start();
    for (const path of ["/", "/healthz", "/api/v1/me", "/api/v1/nothing"]) {
      const { headers } = await api.send("GET", path);
      expect({ path, ...Object.fromEntries(headers) }).toMatchObject({
        path,
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "content-security-policy": expect.stringContaining("default-src 'none'"),
      });
    }
  });

  it("says which methods there are", async () => {
    const api = await start();
    const reply = await api.send("DELETE", "/api/v1/sessions");
    expect(reply.problem()).toMatchObject({ status: 405, code: "method_not_allowed" });
    expect(reply.headers.get("allow")).toBe("GET, HEAD, POST");
    expect((await api.get("/sessions/x/y/z")).problem()).toMatchObject({
      status: 404,
      code: "route_not_found",
    });
  });

  it("has no body for HEAD", async () => {
    const api = await start();
    const reply = await api.send("HEAD", "/api/v1/sessions");
    expect([reply.status, reply.text]).toEqual([200, ""]);
  });

  it("keeps to itself what went wrong inside", async () => {
    const api = await start();
    await api.operations.store.close();
    const reply = await api.get("/sessions");
    expect([500, 503]).toContain(reply.status);
    expect(reply.text).not.toMatch(/sqlite|\/tmp|database/i);
  });
});

describe("credentials", () => {
  it.each<[string, Record<string, string>, number]>([
    ["a bearer key", { authorization: "Bearer brt_test-key" }, 200],
    ["a key of its own header", { "x-api-key": "brt_test-key" }, 200],
    ["both", { authorization: "Bearer brt_test-key", "x-api-key": "brt_test-key" }, 401],
    ["a wrong key", { authorization: "Bearer brt_test-kez" }, 401],
    ["another scheme", { authorization: "Basic brt_test-key" }, 401],
    ["two keys in one header", { authorization: "Bearer brt_test-key, Bearer brt_test-key" }, 401],
    ["an empty key", { "x-api-key": "" }, 401],
  ])("are taken or not: %s", async (_, headers, status) => {
    const api = await start();
    expect((await api.get("/me", { anonymous: true, headers })).status).toBe(status);
  });

  it("are not taken from the address", async () => {
    const api = await start();
    expect((await api.get("/me?api_key=brt_test-key", { anonymous: true })).status).toBe(401);
  });
});

describe("a trace", () => {
  it("is kept on the run, when it is one", async () => {
    const api = await start();
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const { id } = await api.session();
    await api.post(`/sessions/${id}/events`, { events: [message] }, { headers: { traceparent } });
    expect((await api.until(id, "run.started")).data.traceparent).toBe(traceparent);
    await api.harness.finished(id);
    await api.post(`/sessions/${id}/events`, { events: [message] }, { headers: { traceparent: "00-x" } });
    await api.harness.finished(id, 2);
    expect((await api.until(id, "run.started")).data).not.toHaveProperty("traceparent");
  });
});
