import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { watchEventLoop } from "./event-loop.ts";
import { createLogger } from "./logger.ts";
import { createMetrics } from "./metrics.ts";
import { createTelemetry } from "./telemetry.ts";

/** Blocks the event loop for real: that is what is measured. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const sampled = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("watchEventLoop", () => {
  it("reports how late the loop was and warns of a block, once", async () => {
    const lines: string[] = [];
    const clock = createManualClock();
    const logger = createLogger({ destination: { write: (line) => lines.push(line) } });
    const metrics = createMetrics();
    const telemetry = createTelemetry({ logger, metrics });
    const watch = watchEventLoop({ clock, telemetry, slowMs: 80, everyMs: 1_000 });

    await sampled(30);
    block(150);
    await sampled(30);
    await clock.advance(1_000);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("the event loop was blocked");
    const longest = (await metrics.eventLoopDelay.get()).values.find(({ labels }) => labels.quantile === "1");
    expect(longest?.value).toBeGreaterThan(0.08);
    expect(longest?.value).toBeLessThan(5);

    await clock.advance(1_000);
    expect(lines).toHaveLength(1);
    watch.cancel();
    expect(clock.timers()).toBe(0);
  });
});
