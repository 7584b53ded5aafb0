import { afterAll } from "vitest";
import type { Dialect } from "../../../test/support/models/answers.ts";
import { chatEvents, openChatEvents } from "../../../test/support/models/chat-dialect.ts";
import { generateEvents, openGenerateEvents } from "../../../test/support/models/generate-dialect.ts";
import { httpRig } from "../../../test/support/models/http-rig.ts";
import { describeHttpAdapter } from "../http-adapter.conformance.ts";
import { describeModelAdapter } from "../model.conformance.ts";
import { createModelDispatcher } from "../model-dispatcher.ts";
import { createAiSdk } from "./ai-sdk.ts";

const dispatcher = createModelDispatcher();
afterAll(() => dispatcher.close());

const thinking = (text: string) => ({ content: [{ type: "thinking", thinking: [{ type: "text", text }] }] });

const mistral: Dialect = {
  name: "ai-sdk with @ai-sdk/mistral",
  events: (answer) => chatEvents(answer, thinking, "finish"),
  openEvents: (answer) => openChatEvents(answer, thinking),
  overloaded: `data: ${JSON.stringify({ error: { message: "busy", code: 503 } })}\n\n`,
  fault: (_status, message) =>
    JSON.stringify({ object: "error", message, type: "some_error", param: null, code: null }),
  adapter: ({ baseUrl, ...options }) =>
    createAiSdk({ ...options, dispatcher, package: "@ai-sdk/mistral", baseUrl: `${baseUrl}/v1` }),
};

const google: Dialect = {
  name: "ai-sdk with @ai-sdk/google",
  events: generateEvents,
  openEvents: openGenerateEvents,
  overloaded: `data: ${JSON.stringify({ error: { message: "busy", code: 503, status: "UNAVAILABLE" } })}\n\n`,
  fault: (code, message) => JSON.stringify({ error: { code, message, status: "SOME_ERROR" } }),
  adapter: ({ baseUrl, ...options }) =>
    createAiSdk({ ...options, dispatcher, package: "@ai-sdk/google", baseUrl: `${baseUrl}/v1beta` }),
};

describeModelAdapter(httpRig(mistral));
describeHttpAdapter(mistral);
describeModelAdapter(httpRig(google));
describeHttpAdapter(google);
