import { Counter, Histogram, type Registry } from "prom-client";

/** Calls of tools, and the approvals that they wait for. */
export function toolMetrics(registry: Registry) {
  const registers = [registry];
  return {
    toolCalls: new Counter({
      name: "berth_tool_calls_total",
      help: "Tool calls that ended, by tool and outcome. Tools that callers define count as one.",
      labelNames: ["tool", "outcome"],
      registers,
    }),
    toolSeconds: new Histogram({
      name: "berth_tool_call_seconds",
      help: "Time of a tool call.",
      labelNames: ["tool"],
      buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300],
      registers,
    }),
    approvalsRequested: new Counter({
      name: "berth_approvals_requested_total",
      help: "Approvals that were asked for.",
      registers,
    }),
    approvalsClosed: new Counter({
      name: "berth_approvals_closed_total",
      help: "Approvals that ended, by outcome.",
      labelNames: ["outcome"],
      registers,
    }),
  };
}
