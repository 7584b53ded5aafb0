import { Counter, type Registry } from "prom-client";

/** Runs at the limits of budgets. What was spent is counted with the models' calls. */
export function budgetMetrics(registry: Registry) {
  const registers = [registry];
  return {
    budgetPauses: new Counter({
      name: "berth_budget_pauses_total",
      help: "Runs that began to wait for a budget, by its scope: org, user, agent, session or run. Those that ended are in berth_runs_finished_total.",
      labelNames: ["scope"],
      registers,
    }),
    budgetWarnings: new Counter({
      name: "berth_budget_warnings_total",
      help: "Runs that were told of a budget, by level: share (of the limit) or limit.",
      labelNames: ["level"],
      registers,
    }),
  };
}
