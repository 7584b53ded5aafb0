import { afterAll } from "vitest";
import type { Dialect } from "../../../test/support/models/answers.ts";
import { httpRig } from "../../../test/support/models/http-rig.ts";
import { messagesEvents, openMessagesEvents } from "../../../test/support/models/messages-dialect.ts";
import { describeHttpAdapter } from "../http-adapter.conformance.ts";
import { describeModelAdapter } from "../model.conformance.ts";
import { createModelDispatcher } from "../model-dispatcher.ts";
import { createAnthropic } from "./anthropic.ts";

const dispatcher = createModelDispatcher();
afterAll(() => dispatcher.close());

const fault = (type: string, message: string) => JSON.stringify({ type: "error", error: { type, message } });

const dialect: Dialect = {
  name: "anthropic",
  events: messagesEvents,
  openEvents: openMessagesEvents,
  overloaded: `event: error\ndata: ${fault("overloaded_error", "Overloaded")}\n\n`,
  fault: (_status, message) => fault("some_error", message),
  adapter: (options) => createAnthropic({ ...options, dispatcher }),
};

describeModelAdapter(httpRig(dialect));
describeHttpAdapter(dialect);
