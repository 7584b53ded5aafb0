import type { ErrorInfo, RunReason } from "@berth/contract";
import type { EventScope, Sinks } from "./scope.ts";

export interface RunFinished extends EventScope {
  readonly reason: RunReason;
  readonly steps: number;
  readonly durationMs: number;
  readonly error?: ErrorInfo | undefined;
}

const badReasons: ReadonlySet<RunReason> = new Set(["error", "retries_exhausted", "quarantined"]);

/** What happens to runs. Each event is told in one place and becomes a log line and its metrics. */
export function runEvents({ logger, metrics }: Sinks) {
  return {
    runFinished(event: RunFinished): void {
      metrics.runsFinished.inc({ reason: event.reason });
      metrics.runSeconds.observe(event.durationMs / 1_000);
      logger[badReasons.has(event.reason) ? "warn" : "info"]({ ...event }, "run finished");
    },
  };
}
