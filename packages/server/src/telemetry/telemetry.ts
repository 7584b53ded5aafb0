import { budgetEvents } from "./events/budgets.ts";
import { connectionEvents } from "./events/connections.ts";
import { dataEvents } from "./events/data.ts";
import type { Sinks } from "./events/scope.ts";
import { silentLogger } from "./logger.ts";
import { createMetrics } from "./metrics.ts";
import { modelEvents } from "./events/models.ts";
import { processEvents } from "./events/process.ts";
import { runEvents } from "./events/runs.ts";
import { sandboxEvents } from "./events/sandboxes.ts";
import { sessionEvents } from "./events/sessions.ts";
import { toolEvents } from "./events/tools.ts";

/**
 * One method for each business event: it feeds the log line and the metrics together, so that they cannot disagree.
 * `logger` and `metrics` are there for what is no business event.
 */
export interface Telemetry
  extends
    Sinks,
    ReturnType<typeof runEvents>,
    ReturnType<typeof modelEvents>,
    ReturnType<typeof budgetEvents>,
    ReturnType<typeof toolEvents>,
    ReturnType<typeof sessionEvents>,
    ReturnType<typeof connectionEvents>,
    ReturnType<typeof dataEvents>,
    ReturnType<typeof sandboxEvents>,
    ReturnType<typeof processEvents> {}

export function createTelemetry(sinks: Sinks): Telemetry {
  return {
    ...sinks,
    ...runEvents(sinks),
    ...modelEvents(sinks),
    ...budgetEvents(sinks),
    ...toolEvents(sinks),
    ...sessionEvents(sinks),
    ...connectionEvents(sinks),
    ...dataEvents(sinks),
    ...sandboxEvents(sinks),
    ...processEvents(sinks),
  };
}

/** Counts, but writes no line. */
export function silentTelemetry(): Telemetry {
  return createTelemetry({ logger: silentLogger, metrics: createMetrics() });
}
