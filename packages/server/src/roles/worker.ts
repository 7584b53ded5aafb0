import type { RuntimeHealth } from "@berth/contract";
import type { RuntimeContext, RuntimeSettings } from "../runtime/context.ts";
import { Worker } from "../runtime/worker.ts";
import type { Ports } from "./ports.ts";

export interface WorkerRole {
  health(): RuntimeHealth;
  stop(drainMs: number): Promise<void>;
}

/** Starts the role that runs sessions. */
export async function startWorker(
  ports: Ports,
  settings: RuntimeSettings,
  { redact, openPort }: Pick<RuntimeContext, "redact" | "openPort">,
): Promise<WorkerRole> {
  const worker = new Worker({ ...ports, settings, memory: () => process.memoryUsage(), redact, openPort });
  const { metrics } = ports.telemetry;
  const watches = [
    metrics.liveSessions.watch(() => worker.activation.all().length),
    metrics.runningSessions.watch(() => worker.activation.all().filter((actor) => actor.running).length),
    metrics.liveSessionBytes.watch(() =>
      worker.activation.all().reduce((sum, actor) => sum + actor.state.bytes, 0),
    ),
    metrics.queueSize.watch(() => ports.queue.size()),
  ];
  await worker.start();
  return {
    health: () => worker.health(),
    async stop(drainMs) {
      for (const unwatch of watches) unwatch();
      await worker.stop(drainMs);
    },
  };
}
