import { describe, expect, it } from "vitest";
import { type Block, fold, plainRequest } from "../../../test/support/models/answers.ts";
import { builtinTools } from "../../tools/builtin/builtin-tools.ts";
import { createInputCheck } from "../../tools/input-check.ts";
import type { Clock } from "../../lib/clock.ts";
import type { AssistantPart, ModelMessage, ModelPart, ModelToolResult } from "../model.ts";
import { createScripted } from "./scripted.ts";

/** Time passes at once: the tour's pace is not what is tested. */
const hurried: Clock = {
  now: () => 0,
  monotonic: () => 0,
  after: (_ms, call) => {
    const timer = setImmediate(call);
    return { cancel: () => clearImmediate(timer) };
  },
};

const user = (text: string): ModelMessage => ({ role: "user", content: [{ type: "text", text }] });

async function answer(
  messages: readonly ModelMessage[],
  tools: readonly string[],
): Promise<readonly Block[]> {
  const specs = tools.map((name) => ({ name, description: name, inputSchema: {} }));
  const request = { ...plainRequest, model: "tour", messages, tools: specs };
  const parts: ModelPart[] = [];
  for await (const batch of createScripted({ clock: hurried }).stream(
    request,
    new AbortController().signal,
  )) {
    parts.push(...batch);
  }
  return fold(parts).blocks;
}

/** Runs the tour to its end as runtime does; tools in `denied` are refused. */
async function tour(tools: readonly string[], denied: readonly string[] = [], denial = "result") {
  const messages: ModelMessage[] = [user("hello there")];
  const called: string[] = [];
  const texts: string[] = [];
  for (let step = 0; step < 10; step++) {
    const blocks = await answer(messages, tools);
    const content: AssistantPart[] = [];
    const results: ModelToolResult[] = [];
    for (const [index, block] of blocks.entries()) {
      if (block.type !== "tool_call") texts.push(block.text);
      else {
        const id = `${step}.${index}`;
        called.push(block.name);
        content.push({ type: "tool_call", id, name: block.name, input: JSON.parse(block.input) as unknown });
        results.push({ id, name: block.name, ...resultOf(denied.includes(block.name), denial) });
      }
    }
    messages.push({ role: "assistant", content });
    if (results.length === 0) return { called, text: texts.join(""), messages };
    messages.push({ role: "tool", results });
  }
  throw new Error("the tour has no end");
}

function resultOf(isDenied: boolean, denial: string) {
  return { ok: !isDenied, content: isDenied ? denial : "result" };
}

const everything = ["todo_write", "fs_write", "fs_read", "bash_run"];

describe("the demo model", () => {
  it("says that it is a demo, calls the real tools, and says how to set up a real model", async () => {
    const { called, text } = await tour(everything);
    expect(called).toEqual(["todo_write", "fs_write", "todo_write", "bash_run", "fs_read", "todo_write"]);
    expect(text).toMatch(/^I am Berth's demo model: a script, not a language model/);
    expect(text).toContain("OPENAI_API_KEY");
  });

  it("ends at its first file where there is no sandbox, and says why", async () => {
    const denial = "This call is not permitted (sandbox_unavailable: this server has none).";
    const { called, text } = await tour(everything, ["fs_write", "bash_run"], denial);
    expect(called).toEqual(["todo_write", "fs_write"]);
    expect(text).toContain("no sandbox that isolates is configured");
  });

  it("calls the tools as they want to be called", async () => {
    const { messages } = await tour(everything);
    const inputs = createInputCheck();
    for (const part of messages.flatMap((message) => (message.role === "assistant" ? message.content : []))) {
      if (part.type !== "tool_call") continue;
      const tool = builtinTools.find(({ name }) => name === part.name);
      expect(tool).toBeDefined();
      expect(inputs.check(tool?.inputSchema ?? {}, part.input)).toBeNull();
    }
  });

  it("goes on when its command is denied", async () => {
    const { called, text } = await tour(everything, ["bash_run"]);
    expect(called.slice(-2)).toEqual(["fs_read", "todo_write"]);
    expect(text).toContain("denial");
  });

  it("leaves out the tools that the agent does not have, and still introduces itself", async () => {
    const some = await tour(["fs_write", "fs_read"]);
    expect(some.called).toEqual(["fs_write", "fs_read"]);
    const none = await tour([]);
    expect(none.called).toEqual([]);
    for (const { text } of [some, none]) expect(text).toMatch(/^I am Berth's demo model/);
  });

  it("answers later messages in words, and repeats the tour when asked", async () => {
    const { messages } = await tour(everything);
    const [reply, ...more] = await answer([...messages, user("What is the capital of France?")], everything);
    expect(reply).toMatchObject({
      type: "text",
      text: expect.stringContaining("I am the demo model") as string,
    });
    expect(more).toEqual([]);
    const again = await answer([...messages, user("Show me the tour again")], everything);
    expect(again.map((block) => block.type)).toEqual(["text", "tool_call"]);
  });
});
