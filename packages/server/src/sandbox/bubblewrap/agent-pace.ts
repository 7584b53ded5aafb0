import type { Clock, TimerHandle } from "../../lib/clock.ts";

/**
 * Bytes per second that one sandbox may make its host read, after a first burst: a flood costs a bounded share of the host. A flood alone made
 * the commands of 20 neighbours take 1.8 to 2 times as long (p95) at twice as many, and 1.1 times at half of them.
 */
const bytesPerMs = (8 * 1024 * 1024) / 1_000;
const burstBytes = 1024 * 1024;

export interface Pace {
  /** Calls `go` at once, or when so many bytes may be had. */
  spend(bytes: number, go: () => void): void;
  stop(): void;
}

export function createPace(clock: Clock): Pace {
  let room = burstBytes;
  let last = clock.monotonic();
  const timers = new Set<TimerHandle>();
  return {
    spend(bytes, go) {
      const now = clock.monotonic();
      room = Math.min(burstBytes, room + (now - last) * bytesPerMs) - bytes;
      last = now;
      if (room >= 0) return go();
      const timer = clock.after(-room / bytesPerMs, () => {
        timers.delete(timer);
        go();
      });
      timers.add(timer);
    },
    stop() {
      for (const timer of timers) timer.cancel();
      timers.clear();
    },
  };
}
