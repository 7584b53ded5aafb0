import type { Clock } from "../../lib/clock.ts";

export interface BreakerOptions {
  readonly clock: Clock;
  /** Failures one after another until it opens. */
  readonly failures: number;
  /** How long it stays open before one call may try again, milliseconds. */
  readonly openMs: number;
}

/** Keeps calls from a host that fails: each would wait for its time limit. */
export interface CircuitBreaker {
  /** Whether a call may be made. After a while of being open it lets one through, and whether that works decides. */
  allows(): boolean;
  succeeded(): void;
  /** With what went wrong, as `<host> …` goes on. */
  failed(why: string): void;
  /** Of the last failure; empty when there is none. */
  why(): string;
}

export function createCircuitBreaker({ clock, failures, openMs }: BreakerOptions): CircuitBreaker {
  let inRow = 0;
  let openedAt: number | null = null;
  let triedAt = 0;
  let last = "";

  return {
    allows() {
      if (openedAt === null) return true;
      const now = clock.monotonic();
      // The one that is let through may be lost: then another one is, as long after it.
      if (now - Math.max(openedAt, triedAt) < openMs) return false;
      triedAt = now;
      return true;
    },
    succeeded() {
      inRow = 0;
      openedAt = null;
      last = "";
    },
    why: () => last,
    failed(why) {
      inRow++;
      last = why;
      if (openedAt !== null || inRow >= failures) openedAt = clock.monotonic();
    },
  };
}
