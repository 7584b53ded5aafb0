import type { BreakerSettings } from "./circuit-breaker.ts";

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
