import { type RunningJobs, startJobs } from "../jobs/runner.ts";
import { anchorAuditJob, sealAuditJob } from "../jobs/seal-audit.ts";
import { tidyJob } from "../jobs/tidy.ts";
import type { Ports } from "./ports.ts";

/** Starts what is done beside requests and runs. */
export function startServerJobs(ports: Ports): RunningJobs {
  const { store, clock, counter, telemetry, anchors, keys } = ports;
  const sealing = { audit: store.system.audit, anchors, key: keys.auditKey, clock };
  const jobs = [tidyJob(ports), sealAuditJob(sealing), anchorAuditJob(sealing)];
  return startJobs({ jobs, clock, counter, telemetry });
}
