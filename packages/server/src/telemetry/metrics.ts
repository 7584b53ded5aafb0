import { Registry } from "prom-client";
import { budgetMetrics } from "./metrics/budgets.ts";
import { connectionMetrics } from "./metrics/connections.ts";
import { modelMetrics } from "./metrics/models.ts";
import { processMetrics } from "./metrics/process.ts";
import { runMetrics } from "./metrics/runs.ts";
import { sandboxMetrics } from "./metrics/sandboxes.ts";
import { sessionMetrics } from "./metrics/sessions.ts";
import { dataMetrics } from "./metrics/data.ts";
import { storeMetrics } from "./metrics/store.ts";
import { toolMetrics } from "./metrics/tools.ts";

/**
 * Every metric of a process, in a registry of its own. Names begin with `berth_`, times are seconds. No label says whose
 * something is, and none takes values that callers choose: their number stays small however many sessions there are.
 */
export function createMetrics({ version }: { readonly version?: string } = {}) {
  const registry = new Registry();
  return {
    ...runMetrics(registry),
    ...modelMetrics(registry),
    ...budgetMetrics(registry),
    ...toolMetrics(registry),
    ...sessionMetrics(registry),
    ...storeMetrics(registry),
    ...dataMetrics(registry),
    ...sandboxMetrics(registry),
    ...connectionMetrics(registry),
    ...processMetrics(registry, version),
    contentType: registry.contentType,
    /** The page for Prometheus. Asks the watched readers; rejects when one of them does. */
    text: (): Promise<string> => registry.metrics(),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
