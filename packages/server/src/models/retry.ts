import type { Clock } from "../lib/clock.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { callWithFallbacks } from "./call-with-fallbacks.ts";
import type { ModelCatalog, ModelClient } from "./model.ts";
import { defaultRetrySettings, type RetrySettings } from "./retry-settings.ts";
import { costOf } from "./usage-cost.ts";

export interface ModelClientOptions {
  readonly catalog: ModelCatalog;
  readonly clock: Clock;
  /** From 0 to 1; default Math.random. */
  readonly random?: () => number;
  readonly settings?: Partial<RetrySettings>;
}

/** The catalog's models with retries, circuit breakers (one for each model) and fallbacks around them. */
export function createModelClient(options: ModelClientOptions): ModelClient {
  const { catalog, clock, random = Math.random } = options;
  const settings = { ...defaultRetrySettings, ...options.settings };
  const breakers = new Map<string, CircuitBreaker>();
  const breakerOf = (name: string) => {
    const breaker = breakers.get(name) ?? new CircuitBreaker(settings.breaker, clock);
    breakers.set(name, breaker);
    return breaker;
  };
  return {
    knows: (name) => catalog.resolve(name) !== null,
    info: (name) => catalog.resolve(name)?.info ?? null,
    list: () => catalog.list(),
    cost(name, usage) {
      return costOf(catalog.resolve(name)?.info.price ?? null, usage);
    },
    stream: (call, signal) =>
      callWithFallbacks({ catalog, clock, random, settings, breakerOf, call, signal }),
  };
}
