import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { Activation } from "./activation.ts";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { silentTelemetry } from "../telemetry/telemetry.ts";
import type { RuntimeContext } from "./context.ts";
import type { SessionActor } from "./session-actor.ts";

it("leaves nothing at the signal of who waited for room, however often it waits", async () => {
  const activation = new Activation({} as RuntimeContext);
  const { signal } = new AbortController();
  for (let round = 0; round < 3; round++) {
    const waiting = activation.room(activation.changes, signal);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    activation.noteQuiet();
    await waiting;
  }
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

it("puts out what is idle for as long as time goes on, whatever the wall clock says", async () => {
  const clock = createManualClock();
  const settings = { idleTtlMs: 60_000, maxSessions: 10, memoryLimitBytes: 1_000 };
  const memory = () => ({ heapUsed: 1, external: 0, arrayBuffers: 0 });
  const telemetry = silentTelemetry();
  const activation = new Activation({ clock, settings, memory, telemetry } as unknown as RuntimeContext);
  const held = { orgId: "org_1", sessionId: "ses_1", epoch: 1 };
  const actor = { held, quiet: true, lastUsedMs: clock.monotonic(), state: { bytes: 1 } };
  activation.add({ ...actor, release: async () => true } as unknown as SessionActor);
  clock.stepWallClock(86_400_000);
  await activation.check();
  expect(activation.all()).toHaveLength(1);
  clock.stepWallClock(-2 * 86_400_000);
  await clock.advance(60_000);
  await activation.check();
  expect(activation.all()).toHaveLength(0);
});
