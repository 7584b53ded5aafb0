import type { Dispatcher } from "undici";
import type { Clock } from "../../lib/clock.ts";
import { systemClock } from "../../lib/clock.ts";
import { httpAnswer } from "../http-answer.ts";
import { createModelDispatcher } from "../model-dispatcher.ts";
import type { ModelAdapter } from "../model.ts";
import { type ModelTimeouts, withTimeouts } from "../model-timeouts.ts";
import { Refusals } from "../refusals.ts";
import { MessagesAnswer } from "./answer.ts";
import { optionalFields, wireRequest, type WireRequest } from "./request.ts";

export interface AnthropicOptions {
  /** With or without the version: `https://api.anthropic.com` or `https://api.anthropic.com/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeouts?: Partial<ModelTimeouts>;
  /** Connections are shared through it; its owner closes it. */
  readonly dispatcher?: Dispatcher;
  readonly clock?: Clock;
}

const apiVersion = "2023-06-01";

/** Anthropic's messages API over server-sent events. Throws a TypeError when `baseUrl` is no URL. */
export function createAnthropic(options: AnthropicOptions): ModelAdapter {
  const base = options.baseUrl.replace(/\/+$/, "");
  const url = new URL(/\/v\d+$/.test(base) ? `${base}/messages` : `${base}/v1/messages`);
  const timeouts = withTimeouts(options.timeouts);
  const clock = options.clock ?? systemClock;
  const dispatcher = options.dispatcher ?? createModelDispatcher(timeouts.connectMs);
  const headers = {
    "content-type": "application/json",
    accept: "text/event-stream",
    "anthropic-version": apiVersion,
    ...(options.apiKey === null ? {} : { "x-api-key": options.apiKey }),
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
          sent = wireRequest(request, refusals.of(request.model));
          return JSON.stringify(sent);
        },
        parser: () => new MessagesAnswer(),
        adapt: (fault) => {
          const wire = sent;
          return wire !== null && refusals.learn(request.model, fault, (field) => field in wire);
        },
        timeouts,
        clock,
        signal,
        secrets,
      });
    },
  };
}
