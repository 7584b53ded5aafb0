import type { Dispatcher } from "undici";
import type { Clock } from "../../lib/clock.ts";
import { systemClock } from "../../lib/clock.ts";
import { httpAnswer } from "../http-answer.ts";
import { createModelDispatcher } from "../model-dispatcher.ts";
import type { ModelAdapter } from "../model.ts";
import { type ModelTimeouts, withTimeouts } from "../model-timeouts.ts";
import { Refusals } from "../refusals.ts";
import { ChatAnswer } from "./answer.ts";
import { optionalFields, wireRequest, type WireRequest } from "./request.ts";

export interface OpenAiCompatibleOptions {
  /** Up to and with the version, for example `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  /** Null for servers that ask for none. */
  readonly apiKey: string | null;
  /** Sent with each request, for example `api-key` for Azure. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeouts?: Partial<ModelTimeouts>;
  /** Connections are shared through it; its owner closes it. */
  readonly dispatcher?: Dispatcher;
  readonly clock?: Clock;
}

/**
 * Chat completions over server-sent events, as OpenAI, DeepSeek, Groq, xAI, OpenRouter, Ollama, vLLM, llama.cpp and many
 * others speak it. Throws a TypeError when `baseUrl` is no URL.
 */
export function createOpenAiCompatible(options: OpenAiCompatibleOptions): ModelAdapter {
  const url = new URL(`${options.baseUrl.replace(/\/+$/, "")}/chat/completions`);
  const openai = url.hostname === "api.openai.com";
  const timeouts = withTimeouts(options.timeouts);
  const clock = options.clock ?? systemClock;
  const dispatcher = options.dispatcher ?? createModelDispatcher(timeouts.connectMs);
  const headers = {
    "content-type": "application/json",
    accept: "text/event-stream",
    ...(options.apiKey === null ? {} : { authorization: `Bearer ${options.apiKey}` }),
    ...options.headers,
  };
  const secrets = [options.apiKey ?? "", ...Object.values(options.headers ?? {})];
  const refusals = new Refusals(optionalFields);
  return {
    stream(request, signal) {
      let sent: WireRequest | null = null;
      return httpAnswer({
        dispatcher,
        url,
        headers,
        body: () => {
          sent = wireRequest(request, { openai, refused: refusals.of(request.model) });
          return JSON.stringify(sent);
        },
        parser: () => new ChatAnswer(),
        adapt: (fault) => {
          const wire = sent;
          if (wire === null) return false;
          return refusals.learn(request.model, fault, (field) =>
            field === "reasoning_content" ? wire.messages.some((message) => field in message) : field in wire,
          );
        },
        timeouts,
        clock,
        signal,
        secrets,
      });
    },
  };
}
