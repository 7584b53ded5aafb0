import { openServerKeys, type ServerKeys } from "../auth/server-keys.ts";
import type { Bus } from "../coordination/bus.ts";
import { createInProcessBus } from "../coordination/in-process/bus.ts";
import { createInProcessPresence } from "../coordination/in-process/presence.ts";
import { createInProcessQueue } from "../coordination/in-process/queue.ts";
import type { Presence } from "../coordination/presence.ts";
import type { Queue } from "../coordination/queue.ts";
import type { LoadedConfig } from "../config/load.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import type { ModelClient } from "../models/model.ts";
import { createLocalProcess } from "../sandbox/local-process/local-process.ts";
import type { SandboxProvider } from "../sandbox/sandbox.ts";
import { createUnavailable } from "../sandbox/unavailable.ts";
import type { Blobs } from "../store/blobs.ts";
import { createDiskBlobs } from "../store/disk/blobs.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { builtinTools } from "../tools/builtin/builtin-tools.ts";
import { createRegistry, type Registry } from "../tools/registry.ts";
import { createSafeFetch } from "../tools/safe-fetch.ts";
import type { SafeFetch } from "../tools/tool.ts";
import { type OpenModels, openModels } from "./models.ts";

/** Every port with its adapter chosen: the only place that knows which. */
export interface Ports {
  readonly store: Store & { describe?(url: string): void };
  readonly blobs: Blobs;
  readonly queue: Queue;
  readonly bus: Bus;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly models: ModelClient;
  /** The providers that have no models to choose from, and why. */
  readonly modelProblems: OpenModels["problems"];
  readonly closeModels: () => Promise<void>;
  readonly tools: Registry;
  readonly sandboxes: SandboxProvider;
  readonly fetch: SafeFetch;
  readonly telemetry: Telemetry;
  readonly keys: ServerKeys;
}

/** Opens the adapters that the configuration names; what was opened is closed again when a later one fails. Tests override parts. */
export async function openPorts(
  loaded: LoadedConfig,
  telemetry: Telemetry,
  overrides: Partial<Ports> = {},
): Promise<Ports> {
  const clock = overrides.clock ?? systemClock;
  const store = overrides.store ?? (await openStore(loaded, telemetry, clock));
  try {
    return { ...(await openRest({ loaded, telemetry, store, clock })), ...overrides };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function openStore({ config }: LoadedConfig, telemetry: Telemetry, clock: Clock): Promise<Ports["store"]> {
  const onCommit = ({ operations, totalMs }: { operations: number; totalMs: number }) =>
    telemetry.commitDone({ operations, durationMs: totalMs });
  const { data: dataDir, failpoint } = config;
  return openSqliteStore({ dataDir, clock, telemetry: { onCommit }, failpoint });
}

async function openRest(parts: {
  loaded: LoadedConfig;
  telemetry: Telemetry;
  store: Ports["store"];
  clock: Clock;
}): Promise<Ports> {
  const { loaded, telemetry, store, clock } = parts;
  const { config, sandboxVariables } = loaded;
  const keys = await openServerKeys({
    dataDir: config.data,
    preset: config,
    required: config.mode === "multi",
  });
  const opened = await openModels(config, clock);
  const local = createLocalProcess({
    dataDir: config.data,
    clock,
    environment: sandboxVariables,
    log: { warn: (details, message) => telemetry.logger.warn({ ...details }, message) },
  });
  return {
    keys,
    store,
    blobs: createDiskBlobs({
      dataDir: config.data,
      note: (orgId, hash, size) => store.system.noteBlob({ orgId, hash, size }),
      isNoted: (orgId, hash) => store.system.hasBlob({ orgId, hash }),
    }),
    queue: createInProcessQueue(),
    bus: createInProcessBus({
      clock,
      onError: (error) => telemetry.unexpectedError({ where: "bus", error }),
    }),
    presence: createInProcessPresence({ clock }),
    clock,
    models: opened.models,
    modelProblems: opened.problems,
    closeModels: opened.close,
    tools: createRegistry(builtinTools),
    sandboxes: config.mode === "multi" ? createUnavailable(local) : local,
    fetch: createSafeFetch({ allow: config.fetchAllow }),
    telemetry,
  };
}

/** Closes what was opened, the store last. */
export async function closePorts(ports: Ports): Promise<void> {
  await ports.sandboxes.close();
  await ports.closeModels();
  await ports.queue.close();
  await ports.bus.close();
  await ports.presence.close();
  await ports.store.close();
}
