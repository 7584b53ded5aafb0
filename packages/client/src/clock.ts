/** Time as a port, so that tests do not have to wait. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls once after `ms`; the returned function cancels. */
  after(ms: number, call: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, call) {
    const timer = setTimeout(call, Math.min(ms, 2_147_483_647));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or at once when the signal aborts. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const done = () => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener("abort", done, { once: true });
  });
}

export interface Backoff {
  /** Longest wait before the first retry, milliseconds. */
  readonly baseMs: number;
  /** No wait is longer, milliseconds. */
  readonly capMs: number;
}

/** Uniform between 0 and `baseMs * 2^attempt`, at most `capMs`; `attempt` is 0 before the first retry. */
export function backoffMs({ baseMs, capMs }: Backoff, attempt: number, random: () => number): number {
  return Math.floor(random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30)));
}
