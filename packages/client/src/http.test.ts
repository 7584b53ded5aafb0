import { describe, expect, it } from "vitest";
import { collect } from "../test/support/events.ts";
import { sendJson, startServer } from "../test/support/http-server.ts";
import { openRefusingPort } from "../test/support/refusing-port.ts";
import { createClient } from "./client.ts";
import { BerthApiError, BerthConnectionError, readRetryAfter } from "./error.ts";

const quick = { backoff: { baseMs: 1, capMs: 1 } };
const accepted = { inputs: [{ id: "inp_00000000000000000000000001", position: 0, runId: null }] };

describe("requests", () => {
  it("are sent again after a lost reply, with the same Idempotency-Key and body", async () => {
    await using server = await startServer((_, response, nth) => {
      if (nth === 0) response.destroy();
      else if (nth === 1) sendJson(response, 503, { code: "starting", detail: "wait" });
      else sendJson(response, 202, accepted);
    });
    const client = createClient({ baseUrl: server.url, apiKey: "k", ...quick });
    expect(await client.session("ses_x").send("hello")).toEqual(accepted);
    expect(new Set(server.seen.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
    expect(server.seen[2]).toMatchObject({
      method: "POST",
      path: "/api/v1/sessions/ses_x/events",
      headers: { authorization: "Bearer k" },
      body: { events: [{ type: "user.message", content: "hello" }] },
    });
  });

  it("never leave the resource that was named by a path or an id with dots", async () => {
    await using server = await startServer((_, response) => sendJson(response, 200, {}));
    const client = createClient({ baseUrl: server.url });
    const { files } = client.session("ses_x");
    const attempts = ["../../ses_other", "a/../../../ses_other", "..", ".", "a/./b", "%2e%2e/x"];
    for (const path of attempts.slice(0, 5)) await expect(files.delete(path)).rejects.toThrow(RangeError);
    await expect(client.session("..").get()).rejects.toThrow(RangeError);
    expect(server.seen).toEqual([]);
    // Encoded once more it is the name of a file.
    await files.delete("%2e%2e/x");
    expect(server.seen[0]?.path).toBe("/api/v1/sessions/ses_x/files/%252e%252e/x");
  });

  it("have a key of their own each, or the caller's", async () => {
    await using server = await startServer((_, response) => sendJson(response, 202, accepted));
    const session = createClient({ baseUrl: server.url }).session("ses_x");
    await session.send("a");
    await session.send("a");
    await session.send("a", { idempotencyKey: "mine" });
    const keys = server.seen.map(({ headers }) => headers["idempotency-key"]);
    expect(keys[0]).not.toBe(keys[1]);
    expect(keys[2]).toBe("mine");
  });

  it("say in which organization, when the caller does", async () => {
    await using server = await startServer((_, response) => sendJson(response, 202, accepted));
    await createClient({ baseUrl: server.url, org: "acme" }).session("ses_x").send("a");
    await createClient({ baseUrl: server.url }).session("ses_x").send("a");
    expect(server.seen.map(({ headers }) => headers["x-berth-org"])).toEqual(["acme", undefined]);
  });

  it("are not sent again when the server says no", async () => {
    const problem = {
      title: "No",
      status: 422,
      detail: "Give a name.",
      code: "validation_failed",
      requestId: "req_1",
      errors: [{ pointer: "/name", detail: "is needed" }],
    };
    await using server = await startServer((_, response) => sendJson(response, 422, problem));
    const error = await createClient({ baseUrl: server.url, ...quick })
      .agents.create({ name: "", model: "a/b" })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BerthApiError);
    expect(error).toMatchObject({
      status: 422,
      code: "validation_failed",
      detail: "Give a name.",
      requestId: "req_1",
      retryable: false,
      errors: problem.errors,
    });
    expect(server.seen).toHaveLength(1);
  });

  it("wait as long as Retry-After says, and leave a long wait to the caller", async () => {
    const waits: number[] = [];
    const clock = {
      now: () => 0,
      after(ms: number, call: () => void) {
        // Timeouts of attempts are not waits.
        if (ms === 60_000) return () => {};
        waits.push(ms);
        queueMicrotask(call);
        return () => {};
      },
    };
    await using server = await startServer((_, response, nth) => {
      sendJson(response, 429, { code: "rate_limited" }, { "retry-after": nth === 0 ? "7" : "3600" });
    });
    const error = await createClient({ baseUrl: server.url, clock, ...quick })
      .me()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 429, retryAfterMs: 3_600_000 });
    expect(waits).toEqual([7_000]);
  });

  it("name the server when nothing answers, after all attempts", async () => {
    await using nobody = await openRefusingPort();
    const client = createClient({ baseUrl: nobody.url, retries: 2, ...quick });
    const error = await client.me().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BerthConnectionError);
    expect((error as Error).message).toContain(nobody.url);
    expect((error as Error).message).toContain("ECONNREFUSED");
  });

  it("end at their time limit", async () => {
    await using server = await startServer(() => {});
    const client = createClient({ baseUrl: server.url, retries: 0, timeoutMs: 20 });
    await expect(client.me()).rejects.toThrow("no answer within 20 ms");
  });

  it("end when their signal aborts, without another attempt", async () => {
    const stop = new AbortController();
    await using server = await startServer(() => stop.abort(new Error("enough")));
    const client = createClient({ baseUrl: server.url, ...quick });
    await expect(client.me({ signal: stop.signal })).rejects.toThrow("enough");
    expect(server.seen).toHaveLength(1);
  });

  it("take a 404 of a repeated delete for success, and no other", async () => {
    await using server = await startServer((_, response, nth) => {
      if (nth === 0) response.destroy();
      else sendJson(response, 404, { code: "session_not_found", detail: "There is no such session." });
    });
    const client = createClient({ baseUrl: server.url, ...quick });
    await client.sessions.delete("ses_x");
    await expect(client.sessions.delete("ses_x")).rejects.toThrow("There is no such session.");
  });

  it("keep a path before the API and escape what goes into a path", async () => {
    await using server = await startServer((_, response) => sendJson(response, 200, {}));
    const client = createClient({ baseUrl: `${server.url}/berth/` });
    await client.session("a/../b").files.upload("x y/ü&.txt", "text");
    expect(server.seen[0]?.path).toBe("/berth/api/v1/sessions/a%2F..%2Fb/files/x%20y/%C3%BC%26.txt");
    expect(server.seen[0]?.body).toBe("text");
  });

  it("follow the pages of a list", async () => {
    await using server = await startServer(({ query }, response) => {
      const after = Number(query.get("after") ?? 0);
      sendJson(response, 200, { items: [after + 1, after + 2], next: after < 4 ? String(after + 2) : null });
    });
    const found = await collect(createClient({ baseUrl: server.url }).sessions.all({ limit: 2 }));
    expect(found).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("stream an export line by line, over any chunks", async () => {
    await using server = await startServer((_, response) => {
      response.writeHead(200);
      for (const byte of Buffer.from('{"a":"ü"}\n{"b":1}\n{"c":1}')) response.write(Buffer.of(byte));
      response.end();
    });
    const found = await collect(createClient({ baseUrl: server.url }).sessions.export("ses_x"));
    expect(found).toEqual(['{"a":"ü"}', '{"b":1}', '{"c":1}']);
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2030-01-01T00:00:00Z");
  it.each([
    [null, null],
    ["3", 3_000],
    ["0", 0],
    ["1.5", 1_500],
    ["Tue, 01 Jan 2030 00:00:10 GMT", 10_000],
    ["Tue, 01 Jan 2030 00:00:00 GMT", 0],
    ["Mon, 31 Dec 2029 00:00:00 GMT", 0],
    ["soon", null],
  ])("%s is %s ms", (header, ms) => expect(readRetryAfter(header, now)).toBe(ms));
});
