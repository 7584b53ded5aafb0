import { BerthError } from "../../lib/errors.ts";
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
  /** Why the store cannot be written just now. */
  let failing: BerthError | null = null;

  return {
    /**
     * For what nothing can handle: a bug, or a part of the machine that fails. Nothing is swallowed; what only follows from a store that
     * cannot be written, which was told of, is a line at level debug. A lost lease is no error: it is a line without a stack.
     */
    unexpectedError(event: UnexpectedError): void {
      const { error, ...scope } = event;
      const isLost = error instanceof BerthError && error.code === "lease_lost";
      if (!isLost) metrics.unexpectedErrors.inc({ where: place(event.where) });
      if (failing !== null && followsFrom(failing, error)) logger.debug({ ...event }, "nothing written");
      else if (isLost) logger.warn(scope, "not done: this worker lost its lease");
      else logger.error({ ...event }, "unexpected error");
    },

    /** Nothing can be written any more, or for another reason than before; null: it can be again. */
    storeFailing(error: BerthError | null): void {
      failing = error;
      if (error === null) logger.warn({}, "the store can be written again");
      else logger.error({ code: error.code, reason: error.message }, "the store cannot be written");
    },

    eventLoopMeasured(event: EventLoopMeasured): void {
      metrics.eventLoopDelay.set({ quantile: "0.5" }, event.p50Ms / 1_000);
      metrics.eventLoopDelay.set({ quantile: "0.99" }, event.p99Ms / 1_000);
      metrics.eventLoopDelay.set({ quantile: "1" }, event.maxMs / 1_000);
      if (event.slow) logger.warn({ ...event }, "the event loop was blocked");
    },
  };
}

/** What a disk that takes nothing says to those that write files of their own. */
const diskCodes: ReadonlySet<unknown> = new Set(["EROFS", "ENOSPC", "EDQUOT"]);

/** Its writes fail the same way, and without them no lease is kept. */
function followsFrom(failing: BerthError, error: unknown): boolean {
  if (error instanceof BerthError) return error.code === failing.code || error.code === "lease_lost";
  return error instanceof Error && "code" in error && diskCodes.has(error.code);
}
