import { boundedLabel } from "../metrics/bounded-label.ts";
import type { EventScope, Sinks } from "./scope.ts";

export interface UnexpectedError extends EventScope {
  /** A constant of the code that caught it, as `turn-loop` or `bus`. */
  readonly where: string;
  readonly error: unknown;
}

export interface EventLoopMeasured {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The longest delay was above the configured limit. */
  readonly slow: boolean;
}

/** What happens to the process as a whole. */
export function processEvents({ logger, metrics }: Sinks) {
  const place = boundedLabel(100);

  return {
    /** For what nothing can handle: a bug, or a part of the machine that fails. Nothing is swallowed. */
    unexpectedError(event: UnexpectedError): void {
      metrics.unexpectedErrors.inc({ where: place(event.where) });
      logger.error({ ...event }, "unexpected error");
    },

    eventLoopMeasured(event: EventLoopMeasured): void {
      metrics.eventLoopDelay.set({ quantile: "0.5" }, event.p50Ms / 1_000);
      metrics.eventLoopDelay.set({ quantile: "0.99" }, event.p99Ms / 1_000);
      metrics.eventLoopDelay.set({ quantile: "1" }, event.maxMs / 1_000);
      if (event.slow) logger.warn({ ...event }, "the event loop was blocked");
    },
  };
}
