import type { Clock, TimerHandle } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";

/** Turns requests away while the process has more to do than it can. */
export interface Overload {
  /** A request begins. Throws `overloaded`; then it must not be ended. */
  begin(): void;
  end(): void;
  /** Whether one more would be turned away. */
  readonly isOverloaded: boolean;
  stop(): void;
}

export interface OverloadSettings {
  /** Requests that are answered at once; those that wait for a slow store count too. */
  readonly maxRequests: number;
  /** How late the event loop may be before it counts as too late, milliseconds. */
  readonly lateMs: number;
}

/** How often lateness is measured, milliseconds. */
const sampleMs = 100;

/** One long pause, as for a garbage collection, is over when it is seen: this many late samples in a row are more than that. */
const lateSamples = 2;

export function watchOverload(clock: Clock, { maxRequests, lateMs }: OverloadSettings): Overload {
  let requests = 0;
  let lateInRow = 0;
  let timer: TimerHandle;
  const sample = (due: number) => {
    lateInRow = clock.monotonic() - due >= lateMs ? lateInRow + 1 : 0;
    schedule();
  };
  const schedule = () => {
    const due = clock.monotonic() + sampleMs;
    timer = clock.after(sampleMs, () => sample(due));
  };
  schedule();
  const isOverloaded = () => requests >= maxRequests || lateInRow >= lateSamples;
  return {
    begin() {
      if (isOverloaded()) throw overloaded();
      requests += 1;
    },
    end() {
      requests -= 1;
    },
    get isOverloaded() {
      return isOverloaded();
    },
    stop() {
      timer.cancel();
    },
  };
}

function overloaded(): BerthError {
  return new BerthError("overloaded", "The server has more to do than it can: try again in a moment.", {
    retryable: true,
  });
}
