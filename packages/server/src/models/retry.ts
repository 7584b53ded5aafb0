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
  /** Default: breakers of this client alone. */
  readonly breakerOf?: BreakerOf;
}

/** The circuit breaker of a model, by its whole name. */
export type BreakerOf = (name: string) => CircuitBreaker;

/** Callers choose names, so what is kept is bounded. */
const keptBreakers = 1_000;

/** Breakers that no others share. */
export function createBreakers(clock: Clock, settings: RetrySettings = defaultRetrySettings): BreakerOf {
  const breakers = new Map<string, CircuitBreaker>();
  return (name) => {
    const known = breakers.get(name);
    if (known !== undefined) return known;
    if (breakers.size >= keptBreakers) breakers.clear();
    const made = new CircuitBreaker(settings.breaker, clock);
    breakers.set(name, made);
    return made;
  };
}

/** The catalog's models with retries, circuit breakers (one for each model) and fallbacks around them. */
export function createModelClient(options: ModelClientOptions): ModelClient {
  const { catalog, clock, random = Math.random } = options;
  const settings = { ...defaultRetrySettings, ...options.settings };
  const breakerOf = options.breakerOf ?? createBreakers(clock, settings);
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
