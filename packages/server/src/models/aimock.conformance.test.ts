import { LLMock } from "@copilotkit/aimock";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect, plainRequest } from "../../test/support/models/answers.ts";
import { createAiSdk } from "./ai-sdk/ai-sdk.ts";
import { createAnthropic } from "./anthropic/anthropic.ts";
import type { ModelAdapter, ModelMessage } from "./model.ts";
import { createModelDispatcher } from "./model-dispatcher.ts";
import { createOpenAiCompatible } from "./openai-compatible/openai-compatible.ts";

const dispatcher = createModelDispatcher();
afterAll(() => dispatcher.close());
const never = new AbortController().signal;
const user = (text: string): ModelMessage => ({ role: "user", content: [{ type: "text", text }] });

/** The adapters against a server of other people's, which is checked against the providers' own clients. */
const adapters: readonly [string, (url: string) => ModelAdapter][] = [
  ["openai-compatible", (url) => createOpenAiCompatible({ baseUrl: `${url}/v1`, apiKey: "k", dispatcher })],
  ["anthropic", (url) => createAnthropic({ baseUrl: url, apiKey: "k", dispatcher })],
  [
    "ai-sdk with google",
    (url) => createAiSdk({ package: "@ai-sdk/google", apiKey: "k", baseUrl: `${url}/v1beta`, dispatcher }),
  ],
];

describe.each(adapters)("%s against aimock", (_name, adapterOf) => {
  let mock: LLMock;
  let adapter: ModelAdapter;
  const ask = (...messages: ModelMessage[]) => collect(adapter.stream({ ...plainRequest, messages }, never));

  beforeEach(async () => {
    mock = new LLMock({ port: 0, host: "127.0.0.1", chunkSize: 4 });
    await mock.start();
    adapter = adapterOf(mock.url);
  });
  afterEach(() => mock.stop());

  it("streams an answer with reasoning and usage", async () => {
    // Each provider's own names of the counts; a server reads those that it knows.
    const counts = { input_tokens: 11, output_tokens: 7, prompt_tokens: 11, completion_tokens: 7 };
    const usage = { ...counts, promptTokenCount: 11, candidatesTokenCount: 7 };
    mock.onMessage("hello", { content: "Grüße aus 世界, hello!", reasoning: "Somebody greets me.", usage });
    const got = await ask(user("hello"));
    expect(got.blocks).toMatchObject([
      { type: "thinking", text: "Somebody greets me." },
      { type: "text", text: "Grüße aus 世界, hello!" },
    ]);
    expect(got.finish).toBe("stop");
    expect(got.usage).toMatchObject({ inputTokens: 11, outputTokens: 7 });
  });

  it("holds a turn with parallel tool calls", async () => {
    mock.on(
      { userMessage: "add", hasToolResult: false },
      {
        content: "I add.",
        toolCalls: [
          { name: "add", arguments: '{"a":1}' },
          { name: "look", arguments: '{"at":"x"}' },
        ],
      },
    );
    mock.on({ userMessage: "add", hasToolResult: true }, { content: "It is 3." });
    const first = await ask(user("add"));
    expect(first.blocks).toEqual([
      { type: "text", text: "I add." },
      { type: "tool_call", name: "add", input: '{"a":1}' },
      { type: "tool_call", name: "look", input: '{"at":"x"}' },
    ]);
    expect(first.finish).toBe("tool_calls");
    const second = await ask(
      user("add"),
      {
        role: "assistant",
        content: [
          { type: "text", text: "I add." },
          { type: "tool_call", id: "tlu_1", name: "add", input: { a: 1 } },
          { type: "tool_call", id: "tlu_2", name: "look", input: { at: "x" } },
        ],
      },
      {
        role: "tool",
        results: [
          { id: "tlu_1", name: "add", ok: true, content: "3" },
          { id: "tlu_2", name: "look", ok: true, content: "nothing" },
        ],
      },
    );
    expect(second).toMatchObject({ blocks: [{ type: "text", text: "It is 3." }], finish: "stop" });
  });

  it("is told to wait", async () => {
    mock.onMessage("busy", {
      error: { message: "slow down", type: "rate_limit_error" },
      status: 429,
      retryAfter: 3,
    });
    expect((await ask(user("busy"))).error).toMatchObject({
      code: "rate_limited",
      retryable: true,
      retryAfterMs: 3_000,
    });
  });

  it("is told of an error once", async () => {
    mock.onMessage("hello", { content: "here" });
    mock.nextRequestError(500, { message: "oops", type: "server_error" });
    expect((await ask(user("hello"))).error).toMatchObject({ code: "server_error", retryable: true });
    expect((await ask(user("hello"))).finish).toBe("stop");
  });

  it("is cut off", async () => {
    mock.onMessage("long", { content: "word ".repeat(50) }, { truncateAfterChunks: 6, latency: 5 });
    expect((await ask(user("long"))).error).toMatchObject({ code: "cut_off", retryable: true });
  });
});
