import { describe, expect, it } from "vitest";
import { plainRequest } from "../../../test/support/models/answers.ts";
import type { AssistantPart, ModelMessage, ModelRequest } from "../model.ts";
import { wireRequest } from "./request.ts";
import { redactedSignature, thinkingSignature } from "./signature.ts";
import { thinksAdaptively } from "./thinking.ts";

const ephemeral = { type: "ephemeral" };
const user = (text: string): ModelMessage => ({ role: "user", content: [{ type: "text", text }] });
const call = (id: string): AssistantPart => ({ type: "tool_call", id, name: "add", input: { a: 1 } });
const result = (id: string, content = "1"): ModelMessage => ({
  role: "tool",
  results: [{ id, name: "add", ok: true, content }],
});
const request = (more: Partial<ModelRequest>) =>
  wireRequest({ ...plainRequest, model: "claude-sonnet-4-5", ...more }, new Set());
const messagesOf = (...messages: ModelMessage[]) => request({ messages }).messages;

describe("what Anthropic is asked", () => {
  it("has the model, the tools and a limit, and marks what may be cached", () => {
    expect(request({ settings: { temperature: 0.3, maxOutputTokens: 500 } })).toMatchObject({
      model: "claude-sonnet-4-5",
      max_tokens: 500,
      stream: true,
      temperature: 0.3,
      system: [{ type: "text", text: "Be brief.", cache_control: ephemeral }],
      tools: [{ name: "add", input_schema: { type: "object" } }, {}],
      messages: [{ role: "user", content: [{ type: "text", text: "Hello", cache_control: ephemeral }] }],
    });
    expect(request({ system: "" })).not.toHaveProperty("system");
  });

  it("marks the last two messages of the user's side, and no more marks than are allowed", () => {
    const body = request({
      messages: [
        user("a"),
        { role: "assistant", content: [call("1")] },
        result("1"),
        { role: "assistant", content: [call("2")] },
        result("2"),
      ],
    });
    expect(JSON.stringify(body).match(/cache_control/g)).toHaveLength(3);
    const marked = body.messages.map(({ content }) => content.at(-1)?.cache_control !== undefined);
    expect(marked).toEqual([false, false, true, false, true]);
  });

  it("takes the model's own limit, and never more than it", () => {
    expect(request({}).max_tokens).toBe(32_000);
    expect(request({ settings: { maxOutputTokens: 900_000 } }).max_tokens).toBe(64_000);
    expect(request({ model: "glm-5" }).max_tokens).toBe(8_192);
  });

  it("puts tool results first in the message that answers, and joins neighbours", () => {
    expect(
      messagesOf(
        user("a"),
        { role: "assistant", content: [call("x"), call("y")] },
        result("y"),
        result("x", ""),
        user("b"),
      ),
    ).toMatchObject([
      { role: "user" },
      { role: "assistant", content: [{ id: "call00001" }, { id: "call00002" }] },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "call00002", content: [{ type: "text", text: "1" }] },
          { type: "tool_result", tool_use_id: "call00001" },
          { type: "text", text: "b" },
        ],
      },
    ]);
  });

  it("marks failed results, keeps their images, and makes objects of inputs that are none", () => {
    const image = { type: "image" as const, mediaType: "image/png", data: "aGk=" };
    const failed: ModelMessage = {
      role: "tool",
      results: [{ id: "x", name: "add", ok: false, content: [{ type: "text", text: "no" }, image] }],
    };
    const [, asked, answered] = messagesOf(
      user("a"),
      { role: "assistant", content: [{ type: "tool_call", id: "x", name: "add", input: "oops" }] },
      failed,
    );
    expect(asked?.content).toMatchObject([{ input: { input: "oops" } }]);
    expect(answered?.content).toMatchObject([
      {
        is_error: true,
        content: [{ text: "no" }, { type: "image", source: { type: "base64", media_type: "image/png" } }],
      },
    ]);
  });

  it("carries images and documents, and says what it cannot carry", () => {
    const text = Buffer.from("hello").toString("base64");
    const [message] = messagesOf({
      role: "user",
      content: [
        { type: "image", mediaType: "image/png", url: "https://h/i.png" },
        { type: "image", mediaType: "image/svg+xml", data: "aGk=" },
        { type: "file", mediaType: "application/pdf", name: "a.pdf", data: "aGk=" },
        { type: "file", mediaType: "text/plain", name: "a.txt", data: text },
        { type: "file", mediaType: "video/mp4", data: "aGk=" },
      ],
    });
    expect(message?.content).toMatchObject([
      { type: "image", source: { type: "url", url: "https://h/i.png" } },
      { type: "text", text: "[attached image, image/svg+xml: not readable for this model]" },
      { type: "document", title: "a.pdf", source: { type: "base64", media_type: "application/pdf" } },
      { type: "text", text: '<file name="a.txt">\nhello\n</file>' },
      { type: "text", text: "[attached file, video/mp4: not readable for this model]" },
    ]);
  });

  it("leaves out what is empty, and begins with the user", () => {
    expect(
      messagesOf({ role: "assistant", content: [{ type: "text", text: "hi" }] }, user(" \n"), user("a")),
    ).toMatchObject([
      { role: "user", content: [{ text: "(The conversation goes on.)" }] },
      { role: "assistant" },
      { role: "user", content: [{ text: "a" }] },
    ]);
  });

  it("sends its own thinking back and no other provider's", () => {
    const content: AssistantPart[] = [
      { type: "thinking", text: "mine", signature: thinkingSignature("sig") },
      { type: "thinking", text: "", signature: redactedSignature("blob") },
      { type: "thinking", text: "another's", signature: "ai-sdk:{}" },
      { type: "thinking", text: "unsigned" },
      call("x"),
    ];
    expect(messagesOf(user("a"), { role: "assistant", content }, result("x"))[1]?.content).toEqual([
      { type: "thinking", thinking: "mine", signature: "sig" },
      { type: "redacted_thinking", data: "blob" },
      { type: "tool_use", id: "call00001", name: "add", input: { a: 1 } },
    ]);
  });
});

describe("thinking", () => {
  const thinkingOf = (more: Partial<ModelRequest>) => {
    const { thinking, output_config, temperature, max_tokens } = request(more);
    return { thinking, output_config, temperature, max_tokens };
  };

  it("has a budget below the limit for models up to 4.5, and no temperature beside it", () => {
    expect(thinkingOf({ settings: { reasoning: "medium", temperature: 0.3 } })).toMatchObject({
      thinking: { type: "enabled", budget_tokens: 16_384 },
      temperature: undefined,
    });
    const small = thinkingOf({ settings: { reasoning: "high", maxOutputTokens: 4_000 } });
    expect(small).toMatchObject({ thinking: { budget_tokens: 2_976 }, max_tokens: 4_000 });
    expect(thinkingOf({ settings: { reasoning: "high", maxOutputTokens: 1_500 } }).thinking).toBeUndefined();
  });

  it("has an effort for later models", () => {
    expect(thinkingOf({ model: "claude-opus-5", settings: { reasoning: "low" } })).toMatchObject({
      thinking: { type: "adaptive", display: "summarized" },
      output_config: { effort: "low" },
    });
  });

  it("is off when the agent says none, and as the model has it when the agent says nothing", () => {
    expect(thinkingOf({ settings: { reasoning: "none" } }).thinking).toBeUndefined();
    expect(thinkingOf({ model: "claude-opus-5", settings: { reasoning: "none" } }).thinking).toEqual({
      type: "disabled",
    });
    expect(thinkingOf({ model: "claude-opus-5" }).thinking).toBeUndefined();
  });

  it("is off where a turn goes on whose calls another model made", () => {
    const messages = [user("a"), { role: "assistant" as const, content: [call("x")] }, result("x")];
    expect(thinkingOf({ messages, settings: { reasoning: "low" } }).thinking).toBeUndefined();
  });

  it.each([
    ["claude-opus-4-20250514", false],
    ["claude-sonnet-4-5-20250929", false],
    ["claude-3-7-sonnet-20250219", false],
    ["claude-haiku-4-5", false],
    ["glm-5", false],
    ["claude-opus-4-6", true],
    ["claude-sonnet-5", true],
    ["claude-haiku-5-5-20261007", true],
    ["claude-mythos-preview", true],
  ])("of %s is adaptive: %s", (model, adaptive) => {
    expect(thinksAdaptively(model)).toBe(adaptive);
  });
});
