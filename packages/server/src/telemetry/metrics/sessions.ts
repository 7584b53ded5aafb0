import { Counter, Histogram, type Registry } from "prom-client";
import { watchedGauge } from "./watched-gauge.ts";

/** Sessions as workers hold them, and their mailboxes. */
export function sessionMetrics(registry: Registry) {
  const registers = [registry];
  return {
    inputsAccepted: new Counter({
      name: "berth_inputs_accepted_total",
      help: "Inputs that sessions accepted, by type.",
      labelNames: ["type"],
      registers,
    }),
    sessionsClaimed: new Counter({
      name: "berth_sessions_claimed_total",
      help: "Sessions that a worker took, by whether it took them from a dead one.",
      labelNames: ["takeover"],
      registers,
    }),
    activationSeconds: new Histogram({
      name: "berth_session_activation_seconds",
      help: "Time to make a session live: snapshot, tail of the log, fold.",
      buckets: [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1],
      registers,
    }),
    sessionsFenced: new Counter({
      name: "berth_sessions_fenced_total",
      help: "Sessions that this process lost to another holder.",
      registers,
    }),
    sessionsEvicted: new Counter({
      name: "berth_sessions_evicted_total",
      help: "Live sessions that were put out of memory, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    sessionsQuarantined: new Counter({
      name: "berth_sessions_quarantined_total",
      help: "Sessions that are claimed no more because they killed their workers or cannot be folded.",
      registers,
    }),
    contextsCompacted: new Counter({
      name: "berth_contexts_compacted_total",
      help: "Conversations that were shortened to fit their model's window.",
      registers,
    }),
    liveSessions: watchedGauge(registry, "berth_live_sessions", "Sessions in memory."),
    runningSessions: watchedGauge(registry, "berth_running_sessions", "Sessions that run now."),
    liveSessionBytes: watchedGauge(registry, "berth_live_session_bytes", "Bytes of folded state in memory."),
    queueSize: watchedGauge(registry, "berth_queue_size", "Wake-ups that wait for a worker."),
    approvalsPending: watchedGauge(
      registry,
      "berth_approvals_pending",
      "Approvals that wait for a decision.",
    ),
  };
}
