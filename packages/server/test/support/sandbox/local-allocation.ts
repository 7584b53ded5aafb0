import type { AllocationSettings } from "../../../src/allocation/allocation-settings.ts";
import { type Allocation, createAllocation } from "../../../src/allocation/create-allocation.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { createLocalProcess } from "../../../src/sandbox/local-process/local-process.ts";
import type { Store } from "../../../src/store/store.ts";
import { silentTelemetry } from "../../../src/telemetry/telemetry.ts";
import { testSettings } from "./allocation-rig.ts";

/** Plain processes, given to sessions as a server does. */
export function localAllocation(options: {
  readonly dataDir: string;
  readonly store: Store;
  readonly environment?: Readonly<Record<string, string>>;
  readonly settings?: Partial<AllocationSettings>;
}): Allocation {
  const { dataDir, store, environment = {}, settings = {} } = options;
  const provider = createLocalProcess({ dataDir, clock: systemClock, environment });
  return createAllocation({
    store,
    provider,
    clock: systemClock,
    telemetry: silentTelemetry(),
    settings: { ...testSettings, perUser: 100, perOrg: 1_000, ...settings },
    formerWorkspace: (place) => ({ id: provider.derivedWorkspaceId(place), host: "local" }),
  });
}
