import type { Dispatcher } from "undici";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { createModelDispatcher } from "../model-dispatcher.ts";
import type { ModelAdapter } from "../model.ts";
import { type ModelTimeouts, withTimeouts } from "../model-timeouts.ts";
import { cappedFetch } from "./capped-fetch.ts";
import { type LanguageModelOf, loadProvider } from "./load-provider.ts";
import { ProviderCall } from "./provider-call.ts";

export interface AiSdkOptions {
  /** An installed provider package of AI SDK 7, for example `@ai-sdk/google`. */
  readonly package: string;
  readonly apiKey: string | null;
  /** Default: the provider's own. */
  readonly baseUrl?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeouts?: Partial<ModelTimeouts>;
  /** Connections are shared through it; its owner closes it. */
  readonly dispatcher?: Dispatcher;
  readonly clock?: Clock;
}

/** Any provider package of the AI SDK, imported at the first call. A package that cannot be used is told by each call. */
export function createAiSdk(options: AiSdkOptions): ModelAdapter {
  const timeouts = withTimeouts(options.timeouts);
  const dispatcher = options.dispatcher ?? createModelDispatcher(timeouts.connectMs);
  const clock = options.clock ?? systemClock;
  const secrets = [options.apiKey ?? "", ...Object.values(options.headers ?? {})];
  let loading: Promise<LanguageModelOf> | null = null;
  const load = () => {
    if (loading !== null) return loading;
    const started = loadProvider(options.package, {
      // An empty key is told by the provider's refusal; none at all would be looked for in the environment.
      apiKey: options.apiKey ?? "",
      ...(options.baseUrl === undefined ? {} : { baseURL: options.baseUrl }),
      ...(options.headers === undefined ? {} : { headers: options.headers }),
      fetch: cappedFetch(dispatcher),
    });
    // A package that is installed later is found by a later call.
    started.catch(() => {
      loading = null;
    });
    loading = started;
    return started;
  };
  const origin = options.baseUrl === undefined ? options.package : new URL(options.baseUrl).origin;
  return {
    stream: (request, signal) => ({
      [Symbol.asyncIterator]: () =>
        new ProviderCall({ load, request, signal, timeouts, clock, secrets, origin }).start(),
    }),
  };
}
