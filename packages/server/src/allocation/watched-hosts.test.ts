import { afterEach, expect, it } from "vitest";
import { type AllocationRig, openRig } from "../../test/support/sandbox/allocation-rig.ts";
import { silentLogger } from "../telemetry/logger.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { createTelemetry } from "../telemetry/telemetry.ts";

let rig: AllocationRig;
afterEach(() => rig.close());

it("are counted by state within seconds, long before the next sweep", async () => {
  rig = openRig({ hosts: ["a", "b", "c"] });
  const metrics = createMetrics();
  const server = rig.start({}, { telemetry: createTelemetry({ logger: silentLogger, metrics }) });
  await server.sandboxes.reapLeftovers();
  rig.provider.down.add("a");
  rig.provider.draining.add("b");
  await rig.clock.advance(6_000);
  const page = await metrics.text();
  for (const state of ["healthy", "draining", "unhealthy"])
    expect(page).toContain(`berth_sandbox_hosts{state="${state}"} 1`);
});
