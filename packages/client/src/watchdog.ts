import type { Clock } from "./clock.ts";

/** Gives up a connection that brings nothing for too long while somebody waits for it. */
export interface Watchdog {
  /** Waits for a sign of life; the time runs only meanwhile. */
  during<T>(sign: Promise<T>): Promise<T>;
  stop(): void;
}

export function createWatchdog(clock: Clock, silenceMs: number, giveUp: (reason: Error) => void): Watchdog {
  let cancel = () => {};
  const stop = () => cancel();
  return {
    stop,
    async during(sign) {
      cancel = clock.after(silenceMs, () => giveUp(new Error(`nothing came for ${silenceMs} ms`)));
      try {
        return await sign;
      } finally {
        stop();
      }
    },
  };
}
