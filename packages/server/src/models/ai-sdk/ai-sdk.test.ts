import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect, plainRequest } from "../../../test/support/models/answers.ts";
import { type FaultServer, startFaultServer } from "../../../test/support/models/fault-server.ts";
import type { ModelMessage, ModelRequest } from "../model.ts";
import { createModelDispatcher } from "../model-dispatcher.ts";
import { createAiSdk } from "./ai-sdk.ts";

const dispatcher = createModelDispatcher();
afterAll(() => dispatcher.close());
const never = new AbortController().signal;

let server: FaultServer;
beforeEach(async () => {
  server = await startFaultServer();
});
afterEach(() => server.close());

const google = () =>
  createAiSdk({ package: "@ai-sdk/google", apiKey: "key", baseUrl: `${server.url}/v1beta`, dispatcher });

function reply(...parts: readonly object[]): void {
  const event = { candidates: [{ content: { role: "model", parts }, finishReason: "STOP" }] };
  server.answer((one) => {
    one.head(200);
    one.chunk(`data: ${JSON.stringify(event)}\n\n`);
    one.end();
  });
}

async function ask(request: Partial<ModelRequest>) {
  const got = await collect(
    google().stream({ ...plainRequest, model: "gemini-3-flash-preview", ...request }, never),
  );
  expect(got.error).toBeNull();
  return { got, body: JSON.parse(server.requests.at(-1)?.body ?? "{}") as Record<string, unknown> };
}

describe("a provider package of the AI SDK", () => {
  it("gets the conversation, its files and the tools", async () => {
    reply({ text: "ok" });
    const messages: ModelMessage[] = [
      {
        role: "user",
        content: [
          { type: "text", text: "look" },
          { type: "image", mediaType: "image/png", data: "aGk=" },
          { type: "image", mediaType: "image/png", url: "https://h/i.png" },
        ],
      },
      { role: "assistant", content: [{ type: "tool_call", id: "tlu_1", name: "add", input: { a: 1 } }] },
      { role: "tool", results: [{ id: "tlu_1", name: "add", ok: true, content: "2" }] },
    ];
    const { body } = await ask({ messages, settings: { temperature: 0.2, maxOutputTokens: 9 } });
    expect(body).toMatchObject({
      systemInstruction: { parts: [{ text: "Be brief." }] },
      generationConfig: { temperature: 0.2, maxOutputTokens: 9 },
      contents: [
        {
          role: "user",
          parts: [{ text: "look" }, { inlineData: { mimeType: "image/png", data: "aGk=" } }, {}],
        },
        { role: "model", parts: [{ functionCall: { name: "add", args: { a: 1 } } }] },
        { role: "user", parts: [{ functionResponse: { name: "add" } }] },
      ],
    });
    expect(server.requests[0]?.headers["x-goog-api-key"]).toBe("key");
  });

  it("gets back what it signed, and nothing that another provider signed", async () => {
    reply({ functionCall: { name: "add", args: { a: 1 } }, thoughtSignature: "c2ln" });
    const { got } = await ask({});
    const call = got.parts.find((part) => part.type === "tool_call");
    expect(call?.signature).toContain("c2ln");
    const messages = (signature: string): ModelMessage[] => [
      { role: "user", content: [{ type: "text", text: "go" }] },
      {
        role: "assistant",
        content: [{ type: "tool_call", id: "x", name: "add", input: { a: 1 }, signature }],
      },
      { role: "tool", results: [{ id: "x", name: "add", ok: true, content: "2" }] },
    ];
    const { body } = await ask({ messages: messages(call?.signature ?? "") });
    expect(JSON.stringify(body)).toContain('"thoughtSignature":"c2ln"');
    const other = await ask({ messages: messages("anthropic:secret") });
    expect(JSON.stringify(other.body)).not.toContain("anthropic:secret");
  });

  it.each([
    ["@ai-sdk/not-installed", "npm install @ai-sdk/not-installed"],
    ["../../evil.ts", "is no package name"],
    ["picomatch", "has no provider of language models"],
  ])("named %s is told to be unusable", async (name, message) => {
    const { error } = await collect(
      createAiSdk({ package: name, apiKey: null, dispatcher }).stream(plainRequest, never),
    );
    expect(error).toMatchObject({ code: "invalid_request", retryable: false });
    expect(error?.message).toContain(message);
  });
});
