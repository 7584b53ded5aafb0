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
    maxSessions: config.activationMaxSessions,
    memoryLimitBytes: config.activationMemoryLimit,
    memoryCheckMs: config.activationCheckInterval,
    idleTtlMs: config.activationIdleTtl,
    clientToolTimeoutMs: config.clientToolTimeout,
    defaultModel,
  };
}
