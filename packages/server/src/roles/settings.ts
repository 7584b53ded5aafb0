import type { QuotaName } from "@berth/contract";
import type { Config } from "../config/schema.ts";
import type { RuntimeSettings } from "../runtime/context.ts";

/** What running sessions take from the configuration. */
export function runtimeSettings(config: Config, defaultModel: string | null): RuntimeSettings {
  return {
    leaseMs: config.lease,
    mailboxPollMs: config.mailboxPoll,
    sweepMs: config.sweepInterval,
    snapshotEvery: config.snapshotEvery,
    concurrency: config.workerConcurrency,
    fairShare: config.mode === "multi",
    maxSessions: config.activationMaxSessions,
    memoryLimitBytes: config.activationMemoryLimit,
    memoryCheckMs: config.activationCheckInterval,
    idleTtlMs: config.activationIdleTtl,
    clientToolTimeoutMs: config.clientToolTimeout,
    defaultModel,
  };
}

/** What organizations may have, as the configuration says. */
export function quotaDefaults(config: Config): Readonly<Record<QuotaName, number | null>> {
  return {
    sessions: config.quotaSessions,
    runningSessions: config.quotaRunningSessions,
    storedBytes: config.quotaStoredBytes,
    agents: config.quotaAgents,
    apiKeys: config.quotaApiKeys,
    members: config.quotaMembers,
  };
}
