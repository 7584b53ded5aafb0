import { expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { silentTelemetry } from "../telemetry/telemetry.ts";
import type { RuntimeContext } from "./context.ts";
import { Heartbeat } from "./heartbeat.ts";

const leaseMs = 6_000;

/** A worker on a store that takes so long to confirm a heartbeat, for a minute. */
async function beatFor(confirmMs: number): Promise<{ readonly lost: number; readonly beats: number }> {
  const clock = createManualClock();
  let lost = 0;
  let beats = 0;
  let slow = false;
  const heartbeat = () => {
    beats += 1;
    return new Promise<void>((resolve) => void (slow ? clock.after(confirmMs, resolve) : resolve()));
  };
  const context = {
    clock,
    telemetry: silentTelemetry(),
    settings: { leaseMs },
    store: { system: { heartbeat } },
  } as unknown as RuntimeContext;
  const beating = new Heartbeat(context, "wrk_1", () => void (lost += 1));
  await beating.start();
  slow = true;
  await clock.advance(60_000);
  beating.stop();
  return { lost, beats };
}

it("keeps its lease while a heartbeat takes less than a third of it, and loses it when one takes longer", async () => {
  const quick = await beatFor(1);
  expect(quick).toEqual({ lost: 0, beats: 31 });
  expect(await beatFor(1_900)).toEqual({ lost: 0, beats: 31 });
  expect((await beatFor(2_500)).lost).toBeGreaterThan(0);
});
