import type { Clock } from "../lib/clock.ts";

/** Wakes one waiter. A ring that comes while nobody waits is kept, so that none is missed. */
export interface Doorbell {
  /** Safe to hand over as a callback. */
  readonly ring: () => void;
  /** Resolves at the next ring, at once when there was one since, and after `ms` at the latest. */
  heard(ms: number): Promise<void>;
}

export function createDoorbell(clock: Clock): Doorbell {
  let rung = false;
  let wake: (() => void) | null = null;
  return {
    ring: () => {
      rung = true;
      wake?.();
    },
    heard: (ms) =>
      new Promise((resolve) => {
        const done = () => {
          timer.cancel();
          wake = null;
          rung = false;
          resolve();
        };
        const timer = clock.after(ms, done);
        wake = done;
        if (rung) done();
      }),
  };
}
