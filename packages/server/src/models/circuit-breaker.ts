import type { Clock } from "../lib/clock.ts";

export interface BreakerSettings {
  /** Failures in a row after which nobody calls any more. */
  readonly failures: number;
  /** How long, until one call may try again. */
  readonly openMs: number;
}

/**
 * Stops calls to what fails again and again. Closed: calls pass. Open: none does for `openMs`. Then one call is let through
 * as a probe: its success closes the circuit, its failure opens it anew.
 */
export class CircuitBreaker {
  readonly #settings: BreakerSettings;
  readonly #clock: Clock;
  #failures = 0;
  #openUntil = 0;
  #probing = false;

  constructor(settings: BreakerSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Null when a call may be made now, which must then be told as `succeeded`, `failed` or `released`; else how long not, in ms. */
  enter(): number | null {
    if (this.#failures < this.#settings.failures) return null;
    const left = this.#openUntil - this.#clock.monotonic();
    if (left > 0) return left;
    if (this.#probing) return this.#settings.openMs;
    this.#probing = true;
    return null;
  }

  /** The call's answer has begun: others need not wait for its end, but one more failure opens the circuit again. */
  answering(): void {
    if (!this.#probing) return;
    this.#probing = false;
    this.#failures = this.#settings.failures - 1;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#probing = false;
  }

  failed(): void {
    this.#failures++;
    this.#probing = false;
    if (this.#failures >= this.#settings.failures)
      this.#openUntil = this.#clock.monotonic() + this.#settings.openMs;
  }

  /** The call ended in a way that says nothing about the other side. */
  released(): void {
    this.#probing = false;
  }
}
