import type { Clock } from "../lib/clock.ts";
import { type BreakerSettings, CircuitBreaker } from "./circuit-breaker.ts";
import { callWithFallbacks } from "./call-with-fallbacks.ts";
import type { ModelCatalog, ModelClient } from "./model.ts";
import { costOf } from "./usage-cost.ts";

export interface RetrySettings {
  /** Calls of one model before the next one is tried. */
  readonly maxAttempts: number;
  /** The longest first pause; each further one may be twice as long. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** A provider that asks for a longer pause than this is not waited for. */
  readonly maxRetryAfterMs: number;
  readonly breaker: BreakerSettings;
}

export const defaultRetrySettings: RetrySettings = {
  maxAttempts: 4,
  baseDelayMs: 500,
  maxDelayMs: 20_000,
  maxRetryAfterMs: 60_000,
  breaker: { failures: 8, openMs: 20_000 },
};

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
