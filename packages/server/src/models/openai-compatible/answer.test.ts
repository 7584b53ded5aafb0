import { describe, expect, it } from "vitest";
import { fold } from "../../../test/support/models/answers.ts";
import type { ModelPart } from "../model.ts";
import { ChatAnswer } from "./answer.ts";

/** Reads deltas, each in a chunk of its own, and then the end. */
function read(deltas: readonly object[], finish: string | null = "stop") {
  const answer = new ChatAnswer();
  const parts: ModelPart[] = [];
  const take = (choice: object) => {
    answer.event(JSON.stringify({ choices: [choice] }));
    parts.push(...answer.writer.take());
  };
  for (const delta of deltas) take({ index: 0, delta });
  if (finish !== null) take({ index: 0, delta: {}, finish_reason: finish });
  answer.event("[DONE]");
  parts.push(...answer.writer.take());
  return { ...fold([...parts, { type: "finish", finish: answer.finish ?? "stop" }]), answer };
}

const calls = (...tool_calls: readonly object[]) => ({ tool_calls });
const add = (input: string) => ({ type: "tool_call", name: "add", input });

describe("tool calls of servers that differ", () => {
  it.each<[string, readonly object[]]>([
    [
      "as OpenAI sends them",
      [
        calls({ index: 0, id: "a", function: { name: "add", arguments: "" } }),
        calls({ index: 0, function: { arguments: '{"n":' } }),
        calls({ index: 1, id: "b", function: { name: "add", arguments: "" } }),
        calls({ index: 1, function: { arguments: '{"n":2}' } }),
        calls({ index: 0, function: { arguments: "1}" } }),
      ],
    ],
    [
      "with id and name in every piece",
      [
        calls({ index: 0, id: "a", function: { name: "add", arguments: '{"n":' } }),
        calls({ index: 0, id: "a", function: { name: "add", arguments: "1}" } }),
        calls({ index: 1, id: "b", function: { name: "add", arguments: '{"n":' } }),
        calls({ index: 1, id: "b", function: { name: "add", arguments: "2}" } }),
      ],
    ],
    [
      "with ids and names but no index",
      [
        calls({ id: "a", function: { name: "add", arguments: '{"n":' } }),
        calls({ id: "a", function: { name: "add", arguments: "1}" } }),
        calls({ id: "b", function: { name: "add", arguments: '{"n":2}' } }),
      ],
    ],
    [
      "whole, with no index and no ids",
      [
        calls({ function: { name: "add", arguments: '{"n":1}' } }),
        calls({ id: "", function: { name: "add", arguments: '{"n":2}' } }),
      ],
    ],
    [
      "whole and all at once, with no index",
      [
        calls(
          { id: "a", function: { name: "add", arguments: '{"n":1}' } },
          { id: "b", function: { name: "add", arguments: '{"n":2}' } },
        ),
      ],
    ],
    [
      "all with index 0",
      [
        calls({ index: 0, id: "a", function: { name: "add", arguments: '{"n":1}' } }),
        calls({ index: 0, id: "b", function: { name: "add", arguments: '{"n":' } }),
        calls({ index: 0, function: { arguments: "2}" } }),
      ],
    ],
    [
      "with empty ids and an index",
      [
        calls({ index: 0, id: "", function: { name: "add", arguments: '{"n":1}' } }),
        calls({ index: 1, id: "", function: { name: "add", arguments: '{"n":2}' } }),
        calls({ index: 1, id: "", function: { name: "add", arguments: "" } }),
      ],
    ],
    [
      "with one id for all, told apart by index",
      [
        calls({ index: 0, id: "call", function: { name: "add", arguments: '{"n":1}' } }),
        calls({ index: 1, id: "call", function: { name: "add", arguments: '{"n":2}' } }),
      ],
    ],
    [
      "with arguments as objects",
      [
        calls({ index: 0, id: "a", function: { name: "add", arguments: { n: 1 } } }),
        calls({ index: 1, id: "b", function: { name: "add", arguments: { n: 2 } } }),
      ],
    ],
    [
      "with the name after the first arguments",
      [
        calls({ index: 0, id: "a", function: { arguments: '{"n":' } }),
        calls({ index: 0, function: { name: "add", arguments: "1}" } }),
        calls({ index: 1, id: "b", function: { name: "add", arguments: '{"n":2}' } }),
      ],
    ],
    [
      "with nulls where nothing is",
      [
        calls({ index: 0, id: "a", function: { name: "add", arguments: null } }),
        calls({ index: 0, id: null, function: { name: null, arguments: '{"n":1}' } }),
        calls({ index: 1, id: "b", function: { name: "add", arguments: '{"n":2}' } }),
        calls({ index: 1, function: null }),
      ],
    ],
  ])("are read %s", (_how, deltas) => {
    const { blocks, answer } = read(deltas);
    expect(blocks).toEqual([add('{"n":1}'), add('{"n":2}')]);
    expect(answer.finish).toBe("tool_calls");
  });

  it("keep two different tools apart that have neither index nor id", () => {
    const { blocks } = read([
      calls({ function: { name: "add", arguments: "" } }),
      calls({ function: { name: "look", arguments: "{}" } }),
    ]);
    expect(blocks).toEqual([add(""), { type: "tool_call", name: "look", input: "{}" }]);
  });

  it("are told even when their name never comes", () => {
    expect(read([calls({ index: 0, id: "a", function: { arguments: "{}" } })]).blocks).toEqual([
      { type: "tool_call", name: "", input: "{}" },
    ]);
  });
});

describe("text and reasoning of servers that differ", () => {
  it.each<[string, object]>([
    ["reasoning_content", { reasoning_content: "hm" }],
    ["reasoning", { reasoning: "hm" }],
    ["both fields", { reasoning_content: "hm", reasoning: "hm" }],
    ["a part of the content", { content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }] }],
  ])("are read from %s", (_field, delta) => {
    const { blocks } = read([delta, { content: "yes", reasoning_content: null }]);
    expect(blocks).toEqual([
      { type: "thinking", text: "hm" },
      { type: "text", text: "yes" },
    ]);
  });

  it("begin a new block after another kind of block", () => {
    const { blocks } = read([{ content: "a" }, { reasoning: "b" }, { content: "c" }, { content: "d" }]);
    expect(blocks.map((block) => block.type)).toEqual(["text", "thinking", "text"]);
  });

  it("show a refusal as text", () => {
    expect(read([{ refusal: "I will not." }]).blocks).toEqual([{ type: "text", text: "I will not." }]);
  });

  it("end by [DONE] alone when no reason comes", () => {
    expect(read([{ content: "a" }], null).answer.finish).toBe("stop");
    expect(
      read([calls({ index: 0, id: "a", function: { name: "add", arguments: "{}" } })], null).answer.finish,
    ).toBe("tool_calls");
  });

  it.each([
    ["length", "length"],
    ["content_filter", "content_filter"],
    ["function_call", "tool_calls"],
    ["eos", "stop"],
  ])("take the reason %s for %s", (reason, finish) => {
    expect(read([{ content: "a" }], reason).answer.finish).toBe(finish);
  });

  it("take a provider's own stop for an error", () => {
    expect(read([{ content: "a" }], "insufficient_system_resource").answer.error?.code).toBe("overloaded");
    expect(read([{ content: "a" }], "error").answer.error?.code).toBe("server_error");
  });
});

describe("usage of servers that differ", () => {
  const usageOf = (usage: object) => {
    const answer = new ChatAnswer();
    answer.event(JSON.stringify({ choices: [], usage }));
    return answer.usage;
  };

  it("counts cached and reasoning tokens", () => {
    const details = {
      prompt_tokens_details: { cached_tokens: 60 },
      completion_tokens_details: { reasoning_tokens: 7 },
    };
    expect(usageOf({ prompt_tokens: 100, completion_tokens: 20, ...details })).toEqual({
      inputTokens: 100,
      outputTokens: 20,
      cacheReadTokens: 60,
      cacheWriteTokens: 0,
      reasoningTokens: 7,
    });
    expect(
      usageOf({ prompt_tokens: 100, completion_tokens: 20, prompt_cache_hit_tokens: 30 })?.cacheReadTokens,
    ).toBe(30);
  });

  it("is none when there are no counts", () => {
    expect(usageOf({ total_time: 1.5 })).toBeNull();
  });
});
