import { Counter, Histogram, type Registry } from "prom-client";

/** Runs and their steps. */
export function runMetrics(registry: Registry) {
  const registers = [registry];
  return {
    runsFinished: new Counter({
      name: "berth_runs_finished_total",
      help: "Runs that ended, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    runSeconds: new Histogram({
      name: "berth_run_seconds",
      help: "Time from a run's start to its end, waiting for people included.",
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800],
      registers,
    }),
    steps: new Counter({
      name: "berth_steps_total",
      help: "Steps of runs: one model call and its tools.",
      registers,
    }),
  };
}
