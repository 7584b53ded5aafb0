import { join } from "node:path";
import type { LoadedConfig } from "../config/load.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import { isLoopback } from "../lib/addresses.ts";
import { createEgressJournal, type EgressJournal } from "../sandbox/host/egress-journal.ts";
import type { HostRemains } from "../sandbox/host/drain.ts";
import { createSandboxHost } from "../sandbox/host/sandbox-host.ts";
import { createTokenVerifier, type TrustedKey } from "../sandbox/host/verify-token.ts";
import { openWorkspaceOwners } from "../sandbox/host/workspace-owners.ts";
import { readPublicKey } from "../sandbox/protocol/keys.ts";
import type { Capabilities } from "../sandbox/sandbox.ts";
import { readTls } from "../http/tls-files.ts";
import { createLogger, type Logger, type LogDestination } from "../telemetry/logger.ts";
import { openBubblewrap, type OpenedProvider, openLocalProcess } from "./local-sandboxes.ts";
import { readSettingFile } from "./remote-sandboxes.ts";
import { reloadableTls, tlsFiles } from "./transport.ts";
import { version } from "./version.ts";

export type { HostRemains };

/** A sandbox host that answers. */
export interface SandboxHostRole {
  readonly url: string;
  /** As servers have to name it. */
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly dataDir: string;
  /** Takes no new sandboxes; workspaces are served, so that servers move them. Idempotent. */
  drain(): void;
  /** Resolves when somebody had it drained: nothing is left, or what is told. */
  readonly drained: Promise<HostRemains>;
  /** Takes the TLS files as they are now; those that do not work are not taken, and logged. Null without TLS. */
  readonly reload: (() => Promise<void>) | null;
  /** Ends every sandbox. Idempotent. */
  stop(): Promise<void>;
}

/** Where a sandbox host listens unless it is told. */
const defaultPort = 7_430;

/**
 * Starts a sandbox host: it makes sandboxes on this machine for servers elsewhere, and needs no database. Rejects with what is wrong and
 * what to do about it.
 */
export async function startSandboxHost(
  loaded: LoadedConfig,
  { clock = systemClock, logs }: { readonly clock?: Clock; readonly logs?: LogDestination } = {},
): Promise<SandboxHostRole> {
  const { config } = loaded;
  const logger = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    ...(logs !== undefined && { destination: logs }),
  });
  const port =
    loaded.settings.find(({ name }) => name === "port")?.source === "default" ? defaultPort : config.port;
  const files = tlsFiles(config);
  const tls = files === null ? null : await readTls(files);
  const isLocal = config.host === "localhost" || isLoopback(config.host);
  if (tls === null && !isLocal) throw unsafe(config.host);
  const keys = await Promise.all(config.sandboxHostTrust.map(trusted));
  if (keys.length === 0) throw nobody();
  if (new Set(keys.map(({ id }) => id)).size > 1 && keys.some(({ deployment }) => deployment === null))
    throw unbound();
  const egress = createEgressJournal({ clock });
  const opened = await openProvider(loaded, { clock, logger, egress });
  const { provider } = opened;
  const name = config.sandboxHostName ?? `${config.host}:${port}`;
  const host = createSandboxHost({
    provider,
    verify: createTokenVerifier({
      keys,
      name,
      clock,
      refused: (why) => logger.warn({ why, name }, "a token was not taken"),
    }),
    owners: await openWorkspaceOwners(join(config.data, "sandbox", "workspace-owners")),
    egress,
    clock,
    name,
    version,
    drainMs: config.drainTimeout,
    tls,
    log: {
      info: (details, message) => logger.info({ ...details, name }, message),
      warn: (details, message) => logger.warn({ ...details, name }, message),
    },
  });
  let stopping: Promise<void> | null = null;
  const stop = async () => {
    await host.stop();
    await opened.close();
  };
  const url = await host.listen({ host: config.host, port }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    url,
    name,
    capabilities: await provider.probe(),
    dataDir: config.data,
    drained: host.drained,
    drain: () => host.drain(),
    reload: reloadableTls(host.server, { files, first: tls, clock, logger }),
    stop: () => (stopping ??= stop()),
  };
}

/** Isolated, unless the operator says that it need not be. */
async function openProvider(
  loaded: LoadedConfig,
  {
    clock,
    logger,
    egress,
  }: { readonly clock: Clock; readonly logger: Logger; readonly egress: EgressJournal },
): Promise<OpenedProvider> {
  const { sandbox } = loaded.config;
  const options = { loaded, clock, logger };
  if (sandbox === "local-process") {
    logger.warn({}, "Commands are not isolated: they run as this host's own user.");
    return openLocalProcess(options);
  }
  if (sandbox === "remote" || sandbox === "none") {
    throw new BerthError(
      "invalid_config",
      `A sandbox host makes sandboxes, so it cannot have --sandbox ${sandbox}: leave that out, or write --sandbox bubblewrap, or local-process, which isolates nothing.`,
    );
  }
  const opened = await openBubblewrap({
    ...options,
    onEgress(sandboxId, decision) {
      const { host, port, method, verdict, reason } = decision;
      logger.info({ sandboxId, host, port, method, verdict, reason }, "a sandbox asked for a place");
      egress.decided(sandboxId, decision);
    },
  });
  const { unavailable } = await opened.provider.probe();
  if (unavailable === undefined) return opened;
  await opened.close();
  throw new BerthError(
    "sandbox_unavailable",
    `This machine cannot isolate: ${unavailable} To serve without isolation all the same, add --sandbox local-process.`,
  );
}

/** `PATH` or `PATH@DEPLOYMENT`. */
async function trusted(entry: string): Promise<TrustedKey> {
  const [, path = entry, deployment = null] = /^(.+)@(dep_[0-9a-f]{32})$/.exec(entry) ?? [];
  const text = (await readSettingFile("sandboxHostTrust", path)) ?? "";
  try {
    return { ...(await readPublicKey(text)), deployment };
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    throw new BerthError("invalid_config", `sandboxHostTrust names ${path}. ${why}`, { cause: error });
  }
}

function unbound(): BerthError {
  return new BerthError(
    "invalid_config",
    "sandboxHostTrust names several keys, and each of them could act as every server: write PATH@DEPLOYMENT for each. A server writes its deployment to its log when it starts with sandbox hosts.",
  );
}

function nobody(): BerthError {
  return new BerthError(
    "invalid_config",
    "A sandbox host serves only servers that it trusts: name their public keys with --sandbox-host-trust. Make a pair with ./berth sandbox-host keys.",
  );
}

function unsafe(host: string): BerthError {
  return new BerthError(
    "unsafe_bind",
    `Listening on ${host} without TLS would send tokens and files over the network as they are: give --tls-cert and --tls-key.`,
  );
}
