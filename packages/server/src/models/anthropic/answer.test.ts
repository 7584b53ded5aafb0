import { describe, expect, it } from "vitest";
import { fold } from "../../../test/support/models/answers.ts";
import type { ModelPart } from "../model.ts";
import { MessagesAnswer } from "./answer.ts";

function read(events: readonly object[]) {
  const answer = new MessagesAnswer();
  const parts: ModelPart[] = [];
  for (const event of events) {
    answer.event(JSON.stringify(event));
    parts.push(...answer.writer.take());
  }
  return { answer, blocks: fold([...parts, { type: "finish", finish: "stop" }]).blocks };
}

const start = (index: number, content_block: object) => ({
  type: "content_block_start",
  index,
  content_block,
});
const delta = (index: number, one: object) => ({ type: "content_block_delta", index, delta: one });
const stop = (index: number) => ({ type: "content_block_stop", index });

describe("answers of Anthropic", () => {
  it("keep thinking with its signature, shown, hidden and redacted", () => {
    const { blocks } = read([
      start(0, { type: "thinking", thinking: "", signature: "" }),
      delta(0, { type: "thinking_delta", thinking: "hm" }),
      delta(0, { type: "signature_delta", signature: "s1" }),
      stop(0),
      start(1, { type: "redacted_thinking", data: "blob" }),
      stop(1),
      start(2, { type: "thinking", thinking: "" }),
      delta(2, { type: "signature_delta", signature: "s2" }),
      stop(2),
      start(3, { type: "text", text: "" }),
      delta(3, { type: "text_delta", text: "yes" }),
      stop(3),
    ]);
    expect(blocks).toEqual([
      { type: "thinking", text: "hm", signature: "anthropic:s1" },
      { type: "thinking", text: "", signature: "anthropic-redacted:blob" },
      { type: "thinking", text: "", signature: "anthropic:s2" },
      { type: "text", text: "yes" },
    ]);
  });

  it("begin a block for each text, and none for empty or unknown ones", () => {
    const { blocks } = read([
      start(0, { type: "text", text: "" }),
      stop(0),
      start(1, { type: "server_tool_use", name: "web_search" }),
      delta(1, { type: "input_json_delta", partial_json: "{}" }),
      stop(1),
      start(2, { type: "text", text: "a" }),
      stop(2),
      start(3, { type: "text", text: "" }),
      delta(3, { type: "text_delta", text: "b" }),
      stop(3),
    ]);
    expect(blocks).toEqual([
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ]);
  });

  it("take a tool's input from its start when no pieces follow", () => {
    const { blocks } = read([
      start(0, { type: "tool_use", id: "t", name: "add", input: { a: 1 } }),
      stop(0),
      start(1, { type: "tool_use", id: "u", name: "add", input: {} }),
      delta(1, { type: "input_json_delta", partial_json: "" }),
      delta(1, { type: "input_json_delta", partial_json: '{"a":2}' }),
      stop(1),
      start(2, { type: "tool_use", id: "v", name: "look", input: {} }),
      stop(2),
    ]);
    expect(blocks).toEqual([
      { type: "tool_call", name: "add", input: '{"a":1}' },
      { type: "tool_call", name: "add", input: '{"a":2}' },
      { type: "tool_call", name: "look", input: "" },
    ]);
  });

  it("count the whole input with its cached parts", () => {
    const usage = {
      input_tokens: 10,
      cache_creation_input_tokens: 20,
      cache_read_input_tokens: 300,
      output_tokens: 1,
    };
    const { answer } = read([
      { type: "message_start", message: { usage } },
      {
        type: "message_delta",
        delta: { stop_reason: "tool_use" },
        usage: { output_tokens: 50, output_tokens_details: { thinking_tokens: 9 } },
      },
      { type: "message_stop" },
    ]);
    expect(answer.usage).toEqual({
      inputTokens: 330,
      outputTokens: 50,
      cacheReadTokens: 300,
      cacheWriteTokens: 20,
      reasoningTokens: 9,
    });
    expect(answer).toMatchObject({ finish: "tool_calls", done: true });
  });

  it.each([
    ["refusal", "content_filter"],
    ["pause_turn", "stop"],
    ["model_context_window_exceeded", "length"],
  ])("stop with %s as %s", (stop_reason, finish) => {
    expect(read([{ type: "message_delta", delta: { stop_reason } }]).answer.finish).toBe(finish);
  });

  it.each([
    ["overloaded_error", "Overloaded", "overloaded"],
    ["rate_limit_error", "slow down", "rate_limited"],
    ["api_error", "Internal server error", "server_error"],
    ["invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", "context_length_exceeded"],
    ["authentication_error", "no", "authentication_failed"],
  ])("tell %s inside a stream", (type, message, code) => {
    expect(read([{ type: "error", error: { type, message } }]).answer.error?.code).toBe(code);
  });

  it("are taken whole from a server that does not stream", () => {
    const answer = new MessagesAnswer();
    answer.whole({
      type: "message",
      content: [
        { type: "text", text: "hi" },
        { type: "tool_use", id: "t", name: "add", input: { a: 1 } },
      ],
      stop_reason: "tool_use",
      usage: { input_tokens: 3, output_tokens: 4 },
    });
    expect(fold([...answer.writer.take(), { type: "finish", finish: "tool_calls" }]).blocks).toEqual([
      { type: "text", text: "hi" },
      { type: "tool_call", name: "add", input: '{"a":1}' },
    ]);
    expect(answer).toMatchObject({ finish: "tool_calls", done: true, usage: { inputTokens: 3 } });
  });
});
