import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { loadConfig } from "../../../packages/server/src/config/load.ts";
import { systemClock } from "../../../packages/server/src/lib/clock.ts";
import { newId } from "../../../packages/server/src/lib/id.ts";
import { openBubblewrap } from "../../../packages/server/src/roles/local-sandboxes.ts";
import type { Sandbox, SandboxLimits } from "../../../packages/server/src/sandbox/sandbox.ts";
import { createLogger } from "../../../packages/server/src/telemetry/logger.ts";
import { createRedactor } from "../../../packages/server/src/telemetry/redaction.ts";
import { whenInterrupted } from "../../../packages/server/test/support/interruption/interruption.ts";

const mebibyte = 1024 * 1024;
const limits: SandboxLimits = {
  memoryBytes: 512 * mebibyte,
  cpus: 1,
  pids: 128,
  diskBytes: 1024 * mebibyte,
  inodes: 100_000,
  tmpBytes: 256 * mebibyte,
  shmBytes: 64 * mebibyte,
  openFiles: 1_024,
  fileBytes: 512 * mebibyte,
  processes: 16,
};

/** One sandbox of the real provider in this process. */
export interface ProviderBench {
  readonly sandbox: Sandbox;
  /** What isolates and limits here. */
  readonly about: string;
  stop(): Promise<void>;
}

export async function openProvider(data: string): Promise<ProviderBench> {
  mkdirSync(data, { recursive: true });
  const loaded = loadConfig({ env: { BERTH_DATA: data }, flags: {}, cwd: data });
  const logger = createLogger({ level: "warn", format: "json", redactor: createRedactor() });
  const { provider, close } = await openBubblewrap({ loaded, clock: systemClock, logger });
  const release = whenInterrupted({ stage: "hosts", stop: close });
  const stop = async () => {
    await close();
    release();
  };
  try {
    const { unavailable, cgroup, diskQuota } = await provider.probe();
    if (unavailable !== undefined) throw new Error(`there is nothing to measure: ${unavailable}`);
    const workspace = { id: newId("workspace"), host: "local" };
    await provider.workspaces.create(workspace, limits);
    const ref = { id: newId("sandbox"), host: "local" };
    const spec = { template: "bench", policy: { limits, egress: { allow: [] } }, workspaceId: workspace.id };
    await provider.create(ref, spec, { incarnation: randomUUID(), deployment: "bench", ttlMs: 3_600_000 });
    const about = `bubblewrap, control groups ${cgroup}, disk quota ${diskQuota}`;
    return { sandbox: await provider.connect(ref), about, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}
