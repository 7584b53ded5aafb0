import { AuditAnchors } from "../auth/audit-anchors.ts";
import { openServerKeys, type ServerKeys } from "../auth/server-keys.ts";
import { checkMasterKeys, createVault, type Vault } from "../auth/vault.ts";
import type { Announcements } from "../coordination/announcements.ts";
import type { Bus } from "../coordination/bus.ts";
import type { Counter } from "../coordination/counter.ts";
import { createInProcessAnnouncements } from "../coordination/in-process/announcements.ts";
import { createInProcessBus } from "../coordination/in-process/bus.ts";
import { createInProcessCounter } from "../coordination/in-process/counter.ts";
import { createInProcessPresence } from "../coordination/in-process/presence.ts";
import { createInProcessQueue } from "../coordination/in-process/queue.ts";
import type { Presence } from "../coordination/presence.ts";
import { type ProvidersHint, providersTopic } from "../coordination/provider-hints.ts";
import type { Queue } from "../coordination/queue.ts";
import type { LoadedConfig } from "../config/load.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import type { BerthError } from "../lib/errors.ts";
import { createOrgShares, type OrgShares } from "../limits/org-shares.ts";
import type { Models } from "../models/model.ts";
import { openSandboxSecret } from "../auth/sandbox-secrets.ts";
import { createProviderPlaces, type ProviderPlaces } from "../models/provider-places.ts";
import type { OpenSecret } from "../allocation/agent-wish.ts";
import type { Allocation } from "../allocation/create-allocation.ts";
import { createEmptyDirectory } from "../allocation/empty-directory.ts";
import type { SandboxDirectory } from "../allocation/sandbox-directory.ts";
import type { SessionSandboxes } from "../allocation/session-sandboxes.ts";
import type { Blobs } from "../store/blobs.ts";
import { createAnchorFile } from "../store/disk/anchor-file.ts";
import type { Backups } from "../store/backups.ts";
import { createDiskBlobs } from "../store/disk/blobs.ts";
import { createDiskExports } from "../store/disk/export-files.ts";
import type { ExportFiles } from "../store/export-files.ts";
import { holdableBlobs } from "../store/hold-blobs.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { Redactor } from "../telemetry/redaction.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { builtinTools } from "../tools/builtin/builtin-tools.ts";
import { createRegistry, type Registry } from "../tools/registry.ts";
import { createSafeFetch } from "../tools/safe-fetch.ts";
import type { SafeFetch } from "../tools/tool.ts";
import { openAllocation } from "./allocation.ts";
import { openBackups } from "./backups.ts";
import { type OpenModels, openModels } from "./models.ts";

/** Every port with its adapter chosen: the only place that knows which. */
export interface Ports {
  readonly store: Store & { describe?(url: string): void };
  readonly blobs: Blobs;
  readonly backups: Backups;
  readonly exportFiles: ExportFiles;
  readonly queue: Queue;
  readonly bus: Bus;
  readonly announcements: Announcements;
  readonly presence: Presence;
  readonly counter: Counter;
  readonly shares: OrgShares;
  readonly clock: Clock;
  readonly models: Models;
  /** The providers that have no models to choose from, and why. */
  readonly modelProblems: OpenModels["problems"];
  readonly closeModels: () => Promise<void>;
  readonly tools: Registry;
  readonly sandboxes: SessionSandboxes;
  readonly sandboxDirectory: SandboxDirectory;
  readonly fetch: SafeFetch;
  readonly openSecret: OpenSecret;
  readonly telemetry: Telemetry;
  readonly keys: ServerKeys;
  readonly vault: Vault;
  readonly places: ProviderPlaces;
  /** What is known of the audit log's chains beside the store. */
  readonly anchors: AuditAnchors;
}

/** What the ports are opened with. */
interface OpenWith {
  readonly loaded: LoadedConfig;
  readonly telemetry: Telemetry;
  /** Is told the secrets that the vault opens. */
  readonly redactor: Redactor;
}

/** Opens the adapters that the configuration names; what was opened is closed again when a later one fails. Tests override parts. */
export async function openPorts(
  { loaded, telemetry, redactor }: OpenWith,
  overrides: Partial<Ports> = {},
): Promise<Ports> {
  const clock = overrides.clock ?? systemClock;
  const store = overrides.store ?? (await openStore(loaded, telemetry, clock));
  try {
    return { ...(await openRest({ loaded, telemetry, redactor, store, clock, overrides })), ...overrides };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function openStore({ config }: LoadedConfig, telemetry: Telemetry, clock: Clock): Promise<Ports["store"]> {
  const onCommit = ({ operations, totalMs }: { operations: number; totalMs: number }) =>
    telemetry.commitDone({ operations, durationMs: totalMs });
  const { data: dataDir, failpoint } = config;
  const onFailing = (error: BerthError | null) => telemetry.storeFailing(error);
  return openSqliteStore({ dataDir, clock, telemetry: { onCommit, onFailing }, failpoint });
}

async function openRest(
  parts: OpenWith & {
    readonly store: Ports["store"];
    readonly clock: Clock;
    readonly overrides: Partial<Ports>;
  },
): Promise<Ports> {
  const { loaded, telemetry, redactor, store, clock } = parts;
  const { config } = loaded;
  const keys = await openServerKeys({
    dataDir: config.data,
    preset: config,
    required: config.mode === "multi",
  });
  const blobs = holdableBlobs(
    createDiskBlobs({
      dataDir: config.data,
      note: (orgId, hash, size) => store.system.noteBlob({ orgId, hash, size }),
      isNoted: (orgId, hash) => store.system.hasBlob({ orgId, hash }),
    }),
  );
  const vault = createVault({ store, masterKeys: keys.masterKeys });
  await checkMasterKeys(store, vault);
  const places = createProviderPlaces({ allow: config.providerAllow });
  const bus = createInProcessBus({
    clock,
    onError: (error) => telemetry.unexpectedError({ where: "bus", error }),
  });
  const shares = createOrgShares({ store, clock, telemetry });
  const opened = await openModels(config, clock, { store, vault, redactor, telemetry, places });
  await bus.subscribe(providersTopic, (hint) => opened.models.recheck((hint as ProvidersHint).orgId));
  // Last of what is opened: it alone holds things outside of this process.
  const { sandboxes, directory } = await openSandboxPorts(parts);
  return {
    keys,
    vault,
    places,
    store,
    blobs,
    backups: openBackups({ config, keys, blobs, clock, onEnd: (record) => telemetry.backupEnded(record) }),
    exportFiles: createDiskExports({ dataDir: config.data }),
    shares,
    queue: createInProcessQueue({ weightOf: (orgId) => shares.known(orgId).weight }),
    bus,
    announcements: createInProcessAnnouncements(),
    presence: createInProcessPresence({ clock }),
    counter: createInProcessCounter({ clock }),
    anchors: new AuditAnchors(createAnchorFile({ dataDir: config.data })),
    clock,
    models: opened.models,
    modelProblems: opened.problems,
    closeModels: opened.close,
    tools: createRegistry(builtinTools),
    sandboxes,
    sandboxDirectory: directory,
    async openSecret(place) {
      const secret = await openSandboxSecret({ store, vault }, place);
      if (secret !== null) redactor.remember(secret.value, { orgId: place.orgId, owner: "" });
      return secret;
    },
    fetch: createSafeFetch({ allow: config.fetchAllow }),
    telemetry,
  };
}

/** What a test brings is not opened as well: it would not be closed. */
async function openSandboxPorts({
  loaded,
  store,
  clock,
  telemetry,
  overrides,
}: Parameters<typeof openRest>[0]): Promise<Allocation> {
  const { sandboxes, sandboxDirectory } = overrides;
  if (sandboxes === undefined) return await openAllocation({ loaded, store, clock, telemetry });
  return { sandboxes, directory: sandboxDirectory ?? createEmptyDirectory(sandboxes) };
}

/** What closes all that was opened, in that order: the store last. */
export function closingsOf(ports: Ports): readonly (() => Promise<void>)[] {
  return [
    () => ports.backups.stop(),
    () => ports.sandboxes.close(),
    () => ports.closeModels(),
    () => ports.queue.close(),
    () => ports.bus.close(),
    () => ports.presence.close(),
    () => ports.counter.close(),
    () => ports.store.close(),
  ];
}
