import { mkdir } from "node:fs/promises";
import type { LoadedConfig } from "../config/load.ts";
import { createAddressRules } from "../lib/address-rules.ts";
import type { Clock } from "../lib/clock.ts";
import { type BubblewrapOptions, createBubblewrap } from "../sandbox/bubblewrap/bubblewrap.ts";
import { createSearch } from "../sandbox/files/search.ts";
import { createLocalProcess, type LocalProcessProvider } from "../sandbox/local-process/local-process.ts";
import type { SandboxProvider } from "../sandbox/sandbox.ts";
import { findQuota } from "../sandbox/workspaces/find-quota.ts";
import { createWorkspaces } from "../sandbox/workspaces/workspaces.ts";
import type { Logger } from "../telemetry/logger.ts";

export interface LocalOptions {
  readonly loaded: LoadedConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onEgress?: BubblewrapOptions["onEgress"];
}

/** A provider, and what ends it with all that it was made of. */
export interface OpenedProvider<P extends SandboxProvider = SandboxProvider> {
  readonly provider: P;
  /** Idempotent. */
  readonly close: () => Promise<void>;
}

/** Sandboxes of this machine, isolated. What it can give, or why it gives none, is told by its `probe()`. */
export async function openBubblewrap({
  loaded,
  clock,
  logger,
  onEgress,
}: LocalOptions): Promise<OpenedProvider> {
  const { data: dataDir, sandboxRootfs: rootfs, sandboxesPerHost: maxSandboxes } = loaded.config;
  const { sandboxEgressAllow: allowPrivate } = loaded.config;
  // A wrong one is told at the start, not by the first sandbox.
  createAddressRules(allowPrivate);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const warn = (details: Readonly<Record<string, unknown>>, message: string) =>
    logger.warn({ ...details }, message);
  const search = createSearch({ clock });
  const quota = await findQuota(dataDir);
  const workspaces = createWorkspaces({ dataDir, quota, reason: quota.reason, clock, search, warn });
  const provider = createBubblewrap({
    dataDir,
    clock,
    workspaces,
    maxSandboxes,
    egress: { allowPrivate },
    ...(rootfs !== null && { rootfs }),
    ...(onEgress !== undefined && { onEgress }),
    log: { warn },
  });
  return {
    provider,
    async close() {
      await provider.close();
      await search.close();
    },
  };
}

/** Plain processes of this machine, not isolated; `insteadOf` says why nothing better is used. */
export function openLocalProcess(
  { loaded, clock, logger }: LocalOptions,
  insteadOf?: string,
): OpenedProvider<LocalProcessProvider> {
  const provider = createLocalProcess({
    dataDir: loaded.config.data,
    clock,
    environment: loaded.sandboxVariables,
    ...(insteadOf !== undefined && { insteadOf }),
    log: { warn: (details, message) => logger.warn({ ...details }, message) },
  });
  return { provider, close: () => provider.close() };
}
