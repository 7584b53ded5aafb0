import type { Clock, TimerHandle } from "../lib/clock.ts";

/**
 * One timer that is moved often. `extend` costs a look at the clock: the timer is left to fire early and then waits for
 * what remains.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #onReached: () => void;
  #at = 0;
  #timer: TimerHandle | null = null;
  #timerAt = 0;

  constructor(clock: Clock, onReached: () => void) {
    this.#clock = clock;
    this.#onReached = onReached;
  }

  /** Due in `ms` from now, earlier or later than before. */
  set(ms: number): void {
    this.#at = this.#clock.monotonic() + ms;
    if (this.#timer === null || this.#timerAt > this.#at) this.#arm(ms);
  }

  /** As `set`, for a deadline that only moves back. */
  extend(ms: number): void {
    this.#at = this.#clock.monotonic() + ms;
  }

  clear(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(ms: number): void {
    this.#timer?.cancel();
    this.#timerAt = this.#clock.monotonic() + ms;
    this.#timer = this.#clock.after(ms, () => {
      this.#timer = null;
      const left = this.#at - this.#clock.monotonic();
      // Timers may fire up to a millisecond early by the monotonic clock.
      if (left >= 1) this.#arm(left);
      else this.#onReached();
    });
  }
}
