import { describe, expect, it } from "vitest";
import type { ModelMessage } from "../model.ts";
import { wireMessages } from "./messages.ts";

const messagesOf = (...messages: readonly ModelMessage[]) => wireMessages("", messages, { reasoning: true });

describe("a conversation as chat completions have it", () => {
  it("holds calls and results together under short names that stay the same", () => {
    const call = (id: string, name: string) => ({ type: "tool_call" as const, id, name, input: { a: 1 } });
    const result = (id: string, name: string) => ({ id, name, ok: true, content: `from ${name}` });
    const messages: ModelMessage[] = [
      { role: "user", content: [{ type: "text", text: "go" }] },
      {
        role: "assistant",
        content: [{ type: "text", text: "I go" }, call("tlu_b", "add"), call("tlu_a", "look")],
      },
      { role: "tool", results: [result("tlu_a", "look"), result("tlu_b", "add")] },
      { role: "assistant", content: [call("tlu_c", "add")] },
      { role: "tool", results: [{ ...result("tlu_c", "add"), ok: false, content: '{"ok":false}' }] },
    ];
    const made = (id: string, name: string) => ({
      id,
      type: "function",
      function: { name, arguments: '{"a":1}' },
    });
    expect(messagesOf(...messages)).toEqual([
      { role: "user", content: "go" },
      {
        role: "assistant",
        content: "I go",
        tool_calls: [made("call00001", "add"), made("call00002", "look")],
      },
      { role: "tool", tool_call_id: "call00002", content: "from look" },
      { role: "tool", tool_call_id: "call00001", content: "from add" },
      { role: "assistant", content: null, tool_calls: [made("call00003", "add")] },
      { role: "tool", tool_call_id: "call00003", content: '{"ok":false}' },
    ]);
  });

  it("carries images and files, and says what it cannot carry", () => {
    const text = Buffer.from("a,b\n1,2").toString("base64");
    const content = messagesOf({
      role: "user",
      content: [
        { type: "text", text: "look" },
        { type: "image", mediaType: "image/png", data: "aGk=" },
        { type: "image", mediaType: "image/png", url: "https://h/i.png" },
        { type: "file", mediaType: "application/pdf", name: "a.pdf", data: "aGk=" },
        { type: "file", mediaType: "text/csv", name: "t.csv", data: text },
        { type: "file", mediaType: "audio/wav", data: "aGk=" },
        { type: "file", mediaType: "application/zip", name: "z.zip", data: "aGk=" },
      ],
    });
    expect(content).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "look" },
          { type: "image_url", image_url: { url: "data:image/png;base64,aGk=" } },
          { type: "image_url", image_url: { url: "https://h/i.png" } },
          { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,aGk=" } },
          { type: "text", text: '<file name="t.csv">\na,b\n1,2\n</file>' },
          { type: "input_audio", input_audio: { data: "aGk=", format: "wav" } },
          { type: "text", text: '[attached file "z.zip", application/zip: not readable for this model]' },
        ],
      },
    ]);
  });

  it("puts what a tool shows after the results", () => {
    const image = { type: "image" as const, mediaType: "image/png", data: "aGk=" };
    const call = { type: "tool_call" as const, id: "x", name: "look", input: {} };
    expect(
      messagesOf(
        { role: "user", content: [{ type: "text", text: "go" }] },
        { role: "assistant", content: [call] },
        {
          role: "tool",
          results: [{ id: "x", name: "look", ok: true, content: [{ type: "text", text: "here" }, image] }],
        },
      ),
    ).toMatchObject([
      {},
      {},
      { role: "tool", content: "here" },
      {
        role: "user",
        content: [
          { text: "From the result of look (call00001):" },
          { image_url: { url: "data:image/png;base64,aGk=" } },
        ],
      },
    ]);
  });

  it("sends the reasoning of this turn back, and no older one", () => {
    const thinking = (text: string) => ({ type: "thinking" as const, text });
    const call = { type: "tool_call" as const, id: "x", name: "add", input: {} };
    const messages = messagesOf(
      { role: "user", content: [{ type: "text", text: "one" }] },
      { role: "assistant", content: [thinking("old"), { type: "text", text: "1" }] },
      { role: "user", content: [{ type: "text", text: "two" }] },
      { role: "assistant", content: [thinking("new"), call] },
      { role: "tool", results: [{ id: "x", name: "add", ok: true, content: "2" }] },
    );
    expect(messages[1]).not.toHaveProperty("reasoning_content");
    expect(messages[3]).toMatchObject({ reasoning_content: "new" });
  });
});
