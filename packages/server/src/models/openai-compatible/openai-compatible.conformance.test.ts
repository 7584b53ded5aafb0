import { afterAll } from "vitest";
import type { Dialect } from "../../../test/support/models/answers.ts";
import { chatEvents, openChatEvents } from "../../../test/support/models/chat-dialect.ts";
import { httpRig } from "../../../test/support/models/http-rig.ts";
import { describeHttpAdapter } from "../http-adapter.conformance.ts";
import { describeModelAdapter } from "../model.conformance.ts";
import { createModelDispatcher } from "../model-dispatcher.ts";
import { createOpenAiCompatible } from "./openai-compatible.ts";

const dispatcher = createModelDispatcher();
afterAll(() => dispatcher.close());

const reasoning = (text: string) => ({ reasoning_content: text });

const dialect: Dialect = {
  name: "openai-compatible",
  events: (answer) => chatEvents(answer, reasoning),
  openEvents: (answer) => openChatEvents(answer, reasoning),
  overloaded: `data: ${JSON.stringify({ error: { message: "busy", code: 503 } })}\n\n`,
  fault: (_status, message) =>
    JSON.stringify({ error: { message, type: "some_error", param: null, code: null } }),
  adapter: ({ baseUrl, ...options }) =>
    createOpenAiCompatible({ ...options, dispatcher, baseUrl: `${baseUrl}/v1` }),
};

describeModelAdapter(httpRig(dialect));
describeHttpAdapter(dialect);
