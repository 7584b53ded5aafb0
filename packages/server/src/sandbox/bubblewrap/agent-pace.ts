import type { Clock, TimerHandle } from "../../lib/clock.ts";

/**
 * Bytes per second that one sandbox may make its host read, after a first burst: a flood costs a bounded share of the host. At three times
 * as many and a burst of 16 MiB the commands of 20 neighbours took 2.4 to 4 times as long beside it (p95), and 1.2 to 2.4 times like this.
 */
const bytesPerMs = (16 * 1024 * 1024) / 1_000;
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
