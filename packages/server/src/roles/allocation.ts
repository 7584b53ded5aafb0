import { type Allocation, createAllocation } from "../allocation/create-allocation.ts";
import type { AllocationSettings } from "../allocation/allocation-settings.ts";
import { createEmptyDirectory } from "../allocation/empty-directory.ts";
import { EgressAudit } from "../allocation/egress-audit.ts";
import { notIsolating } from "../allocation/isolating.ts";
import { createUnavailable } from "../allocation/unavailable.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import { openFormerWorkspaces } from "../sandbox/local-process/layout.ts";
import type { Store } from "../store/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { type OpenedProvider, openLocalProcess } from "./local-sandboxes.ts";
import { openSandboxes } from "./sandboxes.ts";

interface AllocationParts {
  readonly loaded: LoadedConfig;
  readonly store: Store;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Opens the sandboxes that the configuration names, and what gives them to sessions. Rejects as `openSandboxes` does. */
export async function openAllocation(parts: AllocationParts): Promise<Allocation> {
  const { loaded, store, clock, telemetry } = parts;
  const audit = new EgressAudit({ store, clock, telemetry });
  const { logger } = telemetry;
  const local = { loaded, clock, logger, onEgress: audit.decided };
  const deployment = await store.system.sandboxes.deployment();
  const chosen = await openSandboxes({ ...local, egress: audit, deployment });
  if (chosen.provider !== null) {
    const { provider } = chosen;
    const close = async () => {
      await chosen.close();
      // The proxies have told their last.
      await audit.settled();
    };
    return allocate(parts, { provider, close });
  }
  // What another mode left in the data folder is ended and deleted by what could have made it.
  const leftovers = allocate(parts, openLocalProcess(local));
  const sandboxes = createUnavailable(leftovers.sandboxes, chosen.why);
  return { sandboxes, directory: createEmptyDirectory(sandboxes) };
}

function allocate(
  { loaded: { config }, store, clock, telemetry }: AllocationParts,
  { provider, close }: OpenedProvider,
): Allocation {
  return createAllocation({
    store,
    provider,
    closeProvider: close,
    clock,
    telemetry,
    settings: allocationSettings(config),
    ...(config.mode === "multi" && { refuse: notIsolating }),
    ...(provider.kind !== "remote" && { formerWorkspace: formerWorkspaces(config.data) }),
  });
}

function formerWorkspaces(dataDir: string) {
  const idOf = openFormerWorkspaces(dataDir);
  return (place: { readonly orgId: string; readonly sessionId: string }) => ({
    id: idOf(place),
    host: "local",
  });
}

const mebibyte = 1024 * 1024;

/** The most that an agent may wish; memory and disk in MiB. */
export function sandboxMostOf(config: Config): {
  readonly memory: number;
  readonly cpus: number;
  readonly disk: number;
} {
  const { limits, maxLimits } = allocationSettings(config);
  const { memoryBytes, cpus, diskBytes } = { ...limits, ...maxLimits };
  return { memory: Math.floor(memoryBytes / mebibyte), cpus, disk: Math.floor(diskBytes / mebibyte) };
}

function allocationSettings(config: Config): AllocationSettings {
  const cpus = config.sandboxCpuPercent / 100;
  return {
    limits: {
      memoryBytes: config.sandboxMemory,
      cpus,
      pids: config.sandboxPids,
      diskBytes: config.sandboxDisk,
      inodes: config.sandboxFiles,
      tmpBytes: 256 * mebibyte,
      shmBytes: 64 * mebibyte,
      openFiles: 1_024,
      fileBytes: 512 * mebibyte,
      processes: 16,
    },
    maxLimits: {
      memoryBytes: Math.max(config.sandboxMemory, config.sandboxMemoryMax),
      cpus: Math.max(cpus, 4),
      pids: Math.max(config.sandboxPids, 1_024),
      diskBytes: Math.max(config.sandboxDisk, 20 * 1_024 * mebibyte),
      processes: 32,
    },
    template: config.sandboxRootfs ?? "",
    warm: config.sandboxWarm,
    idleTtlMs: config.sandboxIdleTtl,
    maxLifeMs: config.sandboxMaxLife,
    perUser: config.sandboxesPerUser,
    perOrg: config.sandboxesPerOrg,
    waitMs: config.sandboxWait,
  };
}
