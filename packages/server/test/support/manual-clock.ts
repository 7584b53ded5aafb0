import type { Clock, TimerHandle } from "../../src/lib/clock.ts";

interface Timer {
  readonly at: number;
  readonly call: () => void;
}

/** A clock that moves only when a test says so. */
export interface ManualClock extends Clock {
  /**
   * Moves time on and calls what is due, in the order of time, then of creation. After each timer waits until the
   * promises that it set going have settled, so timers that they start within the span are called too.
   */
  advance(ms: number): Promise<void>;
  /** Steps the wall clock, as an administrator or NTP does: `monotonic` and the timers take no notice. */
  stepWallClock(ms: number): void;
  /** How many timers wait. */
  timers(): number;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lets every promise settle that waits for nothing but other promises and immediates. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await turn();
}

/** Starts at 2030-01-01T00:00:00Z unless told, with `monotonic` at 1,000 ms. */
export function createManualClock(options: { now?: number } = {}): ManualClock {
  let elapsed = 1_000;
  let wallOffset = (options.now ?? Date.UTC(2030, 0, 1)) - elapsed;
  const waiting = new Set<Timer>();

  function nextDue(until: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of waiting) if (timer.at <= until && (next === null || timer.at < next.at)) next = timer;
    return next;
  }

  return {
    now: () => elapsed + wallOffset,
    monotonic: () => elapsed,
    timers: () => waiting.size,
    stepWallClock(ms) {
      wallOffset += ms;
    },
    after(ms, call): TimerHandle {
      const timer: Timer = { at: elapsed + Math.max(0, ms), call };
      waiting.add(timer);
      return { cancel: () => void waiting.delete(timer) };
    },
    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (let timer = nextDue(until); timer !== null; timer = nextDue(until)) {
        waiting.delete(timer);
        elapsed = Math.max(elapsed, timer.at);
        timer.call();
        await settle();
      }
      elapsed = until;
    },
  };
}
