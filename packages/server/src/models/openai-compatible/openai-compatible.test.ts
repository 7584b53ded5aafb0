import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect, plainRequest } from "../../../test/support/models/answers.ts";
import { chatEvents } from "../../../test/support/models/chat-dialect.ts";
import { type FaultServer, type Reply, startFaultServer } from "../../../test/support/models/fault-server.ts";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { Agent } from "undici";
import type { ModelRequest } from "../model.ts";
import { createModelDispatcher } from "../model-dispatcher.ts";
import { createOpenAiCompatible } from "./openai-compatible.ts";

const dispatcher = createModelDispatcher();
afterAll(() => dispatcher.close());
const never = new AbortController().signal;
const json = { "content-type": "application/json" };
const whole = chatEvents(
  { steps: [{ text: ["ok"] }], finish: "stop", usage: { input: 1, output: 1 } },
  (text) => ({
    reasoning: text,
  }),
).join("");

function answerWhole(reply: Reply): void {
  reply.head(200);
  reply.chunk(whole);
  reply.end();
}

let server: FaultServer;
beforeEach(async () => {
  server = await startFaultServer();
  server.answer(answerWhole);
});
afterEach(() => server.close());

const adapter = (apiKey: string | null = "key") =>
  createOpenAiCompatible({ baseUrl: `${server.url}/v1/`, apiKey, dispatcher });

/** The bodies of the requests that one call makes. */
async function bodiesOf(
  request: Partial<ModelRequest>,
  using = adapter(),
): Promise<Record<string, unknown>[]> {
  const before = server.requests.length;
  const got = await collect(using.stream({ ...plainRequest, ...request }, never));
  expect(got.error).toBeNull();
  return server.requests.slice(before).map(({ body }) => JSON.parse(body) as Record<string, unknown>);
}

describe("what an OpenAI-compatible server is asked", () => {
  it("has the model, the settings and the tools in it, and goes where it should with the key", async () => {
    const settings = { temperature: 0.5, topP: 0.9, maxOutputTokens: 100, reasoning: "low" as const };
    const [body] = await bodiesOf({ settings });
    expect(body).toMatchObject({
      model: "test-model",
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.5,
      top_p: 0.9,
      max_tokens: 100,
      reasoning_effort: "low",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hello" },
      ],
    });
    expect(body?.["tools"]).toMatchObject([
      { type: "function", function: { name: "add", parameters: { type: "object" } } },
      {},
    ]);
    expect(server.requests[0]).toMatchObject({
      method: "POST",
      path: "/v1/chat/completions",
      headers: { authorization: "Bearer key" },
    });
  });

  it("has no key where there is none", async () => {
    await bodiesOf({}, adapter(null));
    expect(server.requests[0]?.headers).not.toHaveProperty("authorization");
  });
});

describe("a server that refuses a field", () => {
  /** Refuses requests with any of these fields, as servers do that do not know them. */
  function refusing(fields: Readonly<Record<string, string>>, status = 400): void {
    server.answer((reply, { body }) => {
      const field = Object.keys(fields).find((name) => body.includes(`"${name}"`));
      if (field === undefined) return answerWhole(reply);
      reply.send(
        status,
        json,
        JSON.stringify({ error: { message: fields[field], param: field, code: null } }),
      );
    });
  }

  it("is asked again without it at once, and never again with it", async () => {
    refusing({
      stream_options: "Extra inputs are not permitted: stream_options",
      reasoning_effort: "Unrecognized request argument supplied: reasoning_effort",
      temperature: "Unsupported value: 'temperature' does not support 0.5 with this model.",
    });
    const using = adapter();
    const settings = { temperature: 0.5, reasoning: "high" as const };
    expect(await bodiesOf({ settings }, using)).toHaveLength(4);
    const later = await bodiesOf({ settings }, using);
    expect(later).toHaveLength(1);
    for (const field of ["stream_options", "reasoning_effort", "temperature"])
      expect(later[0]).not.toHaveProperty(field);
    expect(await bodiesOf({ settings, model: "another" }, using)).toHaveLength(4);
  });

  it("gets the other name of the token limit", async () => {
    refusing({ max_tokens: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead." });
    const [, second] = await bodiesOf({ settings: { maxOutputTokens: 9 } });
    expect(second).toMatchObject({ max_completion_tokens: 9 });
  });

  it("gets no reasoning back that it does not take", async () => {
    refusing({ reasoning_content: "property 'reasoning_content' is unsupported" }, 422);
    const call = { type: "tool_call" as const, id: "x", name: "add", input: {} };
    const bodies = await bodiesOf({
      messages: [
        { role: "user", content: [{ type: "text", text: "go" }] },
        { role: "assistant", content: [{ type: "thinking", text: "hm" }, call] },
        { role: "tool", results: [{ id: "x", name: "add", ok: true, content: "2" }] },
      ],
    });
    expect(bodies).toHaveLength(2);
  });

  it("is believed when it means the value", async () => {
    server.answer((reply) =>
      reply.send(
        400,
        json,
        JSON.stringify({ error: { message: "temperature must be at most 1", param: "temperature" } }),
      ),
    );
    const got = await collect(adapter().stream({ ...plainRequest, settings: { temperature: 1.5 } }, never));
    expect(got.error).toMatchObject({
      code: "invalid_request",
      message: expect.stringContaining("at most 1") as string,
    });
    expect(server.requests).toHaveLength(1);
  });
});

describe("a connection to an OpenAI-compatible server", () => {
  it("is used again for the next call", async () => {
    for (let i = 0; i < 10; i++) await bodiesOf({});
    // The next call may begin before the last bytes of the one before are here, and then has a second connection.
    expect(new Set(server.requests.map(({ connection }) => connection)).size).toBeLessThan(3);
  });

  it("takes a whole answer from a server that does not stream", async () => {
    const tool_calls = [{ id: "a", type: "function", function: { name: "add", arguments: '{"n":1}' } }];
    const message = { role: "assistant", content: "hello", tool_calls };
    const usage = { prompt_tokens: 3, completion_tokens: 4 };
    server.answer((reply) =>
      reply.send(200, json, JSON.stringify({ choices: [{ message, finish_reason: "tool_calls" }], usage })),
    );
    const got = await collect(adapter().stream(plainRequest, never));
    expect(got.blocks).toEqual([
      { type: "text", text: "hello" },
      { type: "tool_call", name: "add", input: '{"n":1}' },
    ]);
    expect(got).toMatchObject({ finish: "tool_calls", usage: { inputTokens: 3, outputTokens: 4 } });
  });

  it("takes an error that comes with status 200", async () => {
    server.answer((reply) =>
      reply.send(200, json, '{"error":{"message":"maximum context length is 5 tokens"}}'),
    );
    expect((await collect(adapter().stream(plainRequest, never))).error?.code).toBe(
      "context_length_exceeded",
    );
  });

  it("needs no [DONE] after a finish reason, from a stream that ends or falls silent", async () => {
    const withoutDone = whole.replace("data: [DONE]\n\n", "");
    server.answer((reply) => (reply.head(200), reply.chunk(withoutDone), reply.end()));
    expect(await collect(adapter().stream(plainRequest, never))).toMatchObject({
      finish: "stop",
      usage: { inputTokens: 1 },
    });
    const clock = createManualClock();
    const asked = new Promise<void>((resolve) =>
      server.answer((reply) => (reply.head(200), reply.chunk(withoutDone), resolve())),
    );
    const patient = createOpenAiCompatible({ baseUrl: `${server.url}/v1`, apiKey: null, dispatcher, clock });
    const parts = [];
    for await (const batch of patient.stream(plainRequest, never)) {
      parts.push(...batch.map(({ type }) => type));
      await asked;
      void clock.advance(6_000);
    }
    expect(parts).toEqual(["text", "usage", "finish"]);
  });

  it("is given up when it cannot be made in time", async () => {
    const clock = createManualClock();
    let begun = () => {};
    const connecting = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const nowhere = new Agent({ connect: () => begun() });
    const using = createOpenAiCompatible({
      baseUrl: "http://127.0.0.1:9/v1",
      apiKey: null,
      dispatcher: nowhere,
      clock,
    });
    const answer = collect(using.stream(plainRequest, never));
    await connecting;
    await clock.advance(10_001);
    expect((await answer).error).toMatchObject({ code: "timeout", retryable: true });
    await nowhere.destroy();
  });

  it("does not follow a redirect, and says where it leads", async () => {
    server.answer((reply) => reply.send(308, { location: "https://elsewhere/v1" }, ""));
    const { error } = await collect(adapter().stream(plainRequest, never));
    expect(error).toMatchObject({ code: "bad_response", retryable: false });
    expect(error?.message).toContain("https://elsewhere/v1");
  });
});
