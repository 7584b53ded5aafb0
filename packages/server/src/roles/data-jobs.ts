import type { Config } from "../config/schema.ts";
import { backupsJob } from "../jobs/backups.ts";
import { erasuresJob } from "../jobs/erasures.ts";
import { exportsJob } from "../jobs/exports.ts";
import { retentionJob } from "../jobs/retention.ts";
import { type RunningJobs, startJobs } from "../jobs/runner.ts";
import type { OperationsContext } from "../operations/context.ts";
import type { Ports } from "./ports.ts";

/** Starts what works on backups, exports, erasures and retention: with everything that operations have. */
export function startDataJobs(ports: Ports, operations: OperationsContext, config: Config): RunningJobs {
  const { clock, counter, telemetry, backups } = ports;
  const { backupInterval, backupKeep, backupMaxAge } = config;
  const scheduled =
    backupInterval === null
      ? []
      : [
          backupsJob({
            backups,
            clock,
            intervalMs: backupInterval,
            keep: backupKeep,
            maxAgeMs: backupMaxAge ?? Number.POSITIVE_INFINITY,
          }),
        ];
  const jobs = [exportsJob(operations), erasuresJob(operations), retentionJob(operations), ...scheduled];
  return startJobs({ jobs, clock, counter, telemetry });
}
