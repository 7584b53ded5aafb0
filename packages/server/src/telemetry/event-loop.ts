import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Clock, every, type TimerHandle } from "../lib/clock.ts";
import type { Telemetry } from "./telemetry.ts";

export interface EventLoopOptions {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** A longer delay gets a line in the log, milliseconds. */
  readonly slowMs: number;
  /** How often the delays so far are reported and forgotten, milliseconds. */
  readonly everyMs?: number;
}

/** Node's histogram counts its own sampling interval into each delay, milliseconds. */
const resolution = 10;

/** Measures how late the event loop is until the handle is cancelled. */
export function watchEventLoop({
  clock,
  telemetry,
  slowMs,
  everyMs = 10_000,
}: EventLoopOptions): TimerHandle {
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  const timer = every(clock, everyMs, () => {
    const p50Ms = delayMs(histogram, 50);
    const maxMs = delayMs(histogram, 100);
    telemetry.eventLoopMeasured({ p50Ms, p99Ms: delayMs(histogram, 99), maxMs, slow: maxMs > slowMs });
    histogram.reset();
  });
  return {
    cancel() {
      timer.cancel();
      histogram.disable();
    },
  };
}

function delayMs(histogram: ReturnType<typeof monitorEventLoopDelay>, percentile: number): number {
  return histogram.count === 0 ? 0 : Math.max(0, histogram.percentile(percentile) / 1e6 - resolution);
}
