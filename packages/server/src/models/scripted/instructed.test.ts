import { describe, expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { collect, plainRequest } from "../../../test/support/models/answers.ts";
import type { AssistantPart, ModelMessage, ModelPart, ModelRequest } from "../model.ts";
import { createScripted } from "./scripted.ts";

const never = new AbortController().signal;
const user = (text: string): ModelMessage => ({ role: "user", content: [{ type: "text", text }] });
const agent = (...content: AssistantPart[]): ModelMessage => ({ role: "assistant", content });
const said = (text: string) => agent({ type: "text", text });

function request(...messages: ModelMessage[]): ModelRequest {
  return { ...plainRequest, model: "script", messages };
}

const play = (...messages: ModelMessage[]) => collect(createScripted().stream(request(...messages), never));

const script = JSON.stringify({
  script: [
    [{ text: "one" }, { tool: "add", input: { a: 1 } }, { tool: "look" }],
    [{ tool: "add", raw: "{oops" }],
    { text: "three" },
  ],
});

describe("a model whose user's message carries its script", () => {
  it("plays the turn that the number of its answers points to", async () => {
    const first = await play(user(script));
    expect(first.blocks).toEqual([
      { type: "text", text: "one" },
      { type: "tool_call", name: "add", input: '{"a":1}' },
      { type: "tool_call", name: "look", input: "{}" },
    ]);
    expect(first.finish).toBe("tool_calls");
    const second = await play(user(script), said("one"));
    expect(second.blocks).toEqual([{ type: "tool_call", name: "add", input: "{oops" }]);
    const third = await play(user(script), said("one"), said("two"));
    expect(third.blocks).toEqual([{ type: "text", text: "three" }]);
    expect(third.finish).toBe("stop");
    const after = await play(user(script), said("one"), said("two"), said("three"));
    expect(after.blocks).toEqual([{ type: "text", text: "The script is over." }]);
  });

  it("answers the same request in the same way, whatever was asked before", async () => {
    const model = createScripted();
    const messages = [user(script), said("one")];
    const before = await collect(model.stream(request(...messages), never));
    await collect(model.stream(request(user(script)), never));
    const after = await collect(model.stream(request(...messages), never));
    expect(after.parts).toEqual(before.parts);
  });

  it("lets a newer script rule and goes on with one when plain messages come between", async () => {
    const newer = JSON.stringify({ script: [{ text: "new" }] });
    expect((await play(user(script), said("one"), user(newer))).blocks).toEqual([
      { type: "text", text: "new" },
    ]);
    const steered = await play(user(script), said("one"), user("hurry"));
    expect(steered.blocks).toEqual([{ type: "tool_call", name: "add", input: "{oops" }]);
  });

  it("goes on after its script has been summarized away", async () => {
    const transcript = `USER: ${script}\n\nAGENT: one\nAGENT CALLS add: {"a":1}\n\nRESULT OF add: 2`;
    const [summary] = (await play(user(`Summarize this conversation:\n\n${transcript}`))).blocks;
    const text = summary?.type === "text" ? summary.text : "";
    const next = await play(user(`This is a summary of the conversation so far.\n\n${text}`));
    expect(next.blocks).toEqual([{ type: "tool_call", name: "add", input: "{oops" }]);
  });

  it("says what is wrong with a script", async () => {
    expect((await play(user('{"script": [')))?.error?.message).toContain("no JSON");
    const unknown = await play(user('{"script":[[{"sing":"la"}]]}'));
    expect(unknown.error).toMatchObject({ code: "invalid_request", retryable: false });
    expect(unknown.error?.message).toContain("sing");
  });

  it("fails, finishes and counts as told", async () => {
    const failing = JSON.stringify({
      script: [[{ text: "a" }, { error: "rate_limited", retryAfterMs: 70 }]],
    });
    expect((await play(user(failing))).error).toMatchObject({ code: "rate_limited", retryAfterMs: 70 });
    const full = JSON.stringify({
      script: [[{ text: "a" }, { finish: "length" }, { usage: { input: 5, output: 6 } }]],
    });
    const got = await play(user(full));
    expect(got.finish).toBe("length");
    expect(got.usage).toMatchObject({ inputTokens: 5, outputTokens: 6 });
  });

  it("repeats the user's words when there is no script", async () => {
    expect((await play(user("hello"))).blocks).toEqual([{ type: "text", text: "echo: hello" }]);
  });

  it("takes its time by the clock and cuts its text as told", async () => {
    const clock = createManualClock();
    const slow = JSON.stringify({ script: [[{ text: "one two three", chunk: "word", delayMs: 100 }]] });
    const parts: ModelPart[] = [];
    const reading = (async () => {
      for await (const batch of createScripted({ clock }).stream(request(user(slow)), never))
        parts.push(...batch);
    })();
    await clock.advance(250);
    expect(parts).toEqual([
      { type: "text", block: 0, text: "one " },
      { type: "text", block: 0, text: "two " },
    ]);
    await clock.advance(100);
    await reading;
    expect(parts.map(({ type }) => type)).toEqual(["text", "text", "text", "usage", "finish"]);
  });
});
