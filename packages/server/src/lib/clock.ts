/** Time as a port: tests inject their own, so that nothing has to sleep. */
export interface Clock {
  /** Milliseconds since 1970, for what people and logs see. */
  now(): number;
  /** Milliseconds that never go back, for leases and durations. */
  monotonic(): number;
  /** Calls once after `ms`; the handle cancels. Does not keep the process alive. */
  after(ms: number, call: () => void): TimerHandle;
}

export interface TimerHandle {
  cancel(): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, Math.min(ms, 2_147_483_647));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Calls every `ms` until cancelled; the next wait begins when the call has ended. */
export function every(clock: Clock, ms: number, call: () => Promise<void> | void): TimerHandle {
  let cancelled = false;
  let handle: TimerHandle | null = null;
  const schedule = () => {
    if (cancelled) return;
    handle = clock.after(ms, () => void Promise.resolve(call()).finally(schedule));
  };
  schedule();
  return {
    cancel() {
      cancelled = true;
      handle?.cancel();
    },
  };
}

/** Waits for something, at most `ms`; its signal says that nobody waits any more. Rejects as what is waited for does. */
export async function within(
  clock: Clock,
  ms: number,
  wait: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([wait(over.signal), pause(clock, ms, over.signal)]);
  } finally {
    over.abort();
  }
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      handle.cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const handle = clock.after(ms, done);
    signal?.addEventListener("abort", done, { once: true });
  });
}
