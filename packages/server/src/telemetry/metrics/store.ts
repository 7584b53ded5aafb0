import { Counter, Histogram, type Registry } from "prom-client";

/** Commits of the store. */
export function storeMetrics(registry: Registry) {
  const registers = [registry];
  return {
    commitSeconds: new Histogram({
      name: "berth_commit_seconds",
      help: "Time of a group commit, fsync included.",
      buckets: [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2],
      registers,
    }),
    commitBatch: new Histogram({
      name: "berth_commit_operations",
      help: "Operations that shared one commit.",
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    }),
    eventsAppended: new Counter({
      name: "berth_events_appended_total",
      help: "Events that were added to logs.",
      registers,
    }),
  };
}
