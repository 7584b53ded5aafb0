export interface BackoffOptions {
  /** Retries so far: 0 before the first one. */
  readonly attempt: number;
  /** Longest wait before the first retry, milliseconds. */
  readonly baseMs: number;
  /** No wait is longer, milliseconds. */
  readonly capMs: number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/**
 * How long to wait before a retry, in whole milliseconds: uniform between 0 and `baseMs * 2^attempt`, at most `capMs`.
 * This is the "full jitter" of https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/: of the variants
 * compared there it needs the fewest calls until every client is through.
 */
export function backoffMs({ attempt, baseMs, capMs, random = Math.random }: BackoffOptions): number {
  return Math.floor(random() * Math.min(capMs, baseMs * 2 ** attempt));
}
