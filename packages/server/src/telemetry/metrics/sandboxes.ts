import { Counter, Gauge, Histogram, type Registry } from "prom-client";

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Sandboxes, from being made to being gone, and what runs in them. */
export function sandboxMetrics(registry: Registry) {
  return { ...givenOut(registry), ...ended(registry), ...inside(registry) };
}

function givenOut(registry: Registry) {
  const registers = [registry];
  return {
    sandboxCreateSeconds: new Histogram({
      name: "berth_sandbox_create_seconds",
      help: "Time of a provider to make a sandbox, by outcome: ok or the code of the error.",
      labelNames: ["outcome"],
      buckets: seconds,
      registers,
    }),
    sandboxClaimSeconds: new Histogram({
      name: "berth_sandbox_claim_seconds",
      help: "Time from a session's need of a sandbox to having it, by source: warm, or new.",
      labelNames: ["source"],
      buckets: seconds,
      registers,
    }),
    sandboxClaims: new Counter({
      name: "berth_sandbox_claims_total",
      help: "Sandboxes that sessions were given, by source: warm, or new. The share of warm ones is how often the pool was of use.",
      labelNames: ["source"],
      registers,
    }),
    sandboxRefusals: new Counter({
      name: "berth_sandbox_refusals_total",
      help: "Sessions that were given no sandbox, by the code of the error.",
      labelNames: ["code"],
      registers,
    }),
    sandboxesLive: new Gauge({
      name: "berth_sandboxes",
      help: "Sandboxes that there are, by state: creating, warm, active or destroying.",
      labelNames: ["state"],
      registers,
    }),
  };
}

function ended(registry: Registry) {
  const registers = [registry];
  return {
    sandboxesEnded: new Counter({
      name: "berth_sandboxes_ended_total",
      help: "Sandboxes that ended, by reason: idle, max_life, released, recycled, lost and others.",
      labelNames: ["reason"],
      registers,
    }),
    sandboxDestroyRetries: new Counter({
      name: "berth_sandbox_destroy_retries_total",
      help: "Sandboxes that could not be ended and are tried again.",
      registers,
    }),
    sandboxOrphans: new Counter({
      name: "berth_sandbox_orphans_total",
      help: "Sandboxes, and remains of them, that belonged to nobody and were removed by a sweep.",
      registers,
    }),
    sandboxForeign: new Gauge({
      name: "berth_sandbox_foreign",
      help: "Things that the last sweep of each host left alone, because they are another deployment's or cannot be read.",
      labelNames: ["host"],
      registers,
    }),
    sandboxSweepFailures: new Counter({
      name: "berth_sandbox_sweep_failures_total",
      help: "Sweeps that ended nothing because a host or the store did not answer in full.",
      registers,
    }),
    workspacesMoved: new Counter({
      name: "berth_sandbox_workspaces_moved_total",
      help: "Workspaces that were to be moved off a host that drains, by outcome: moved, or stayed.",
      labelNames: ["outcome"],
      registers,
    }),
    workspacesToMove: new Gauge({
      name: "berth_sandbox_workspaces_to_move",
      help: "Workspaces that are still on a host that drains.",
      labelNames: ["host"],
      registers,
    }),
    sandboxHosts: new Gauge({
      name: "berth_sandbox_hosts",
      help: "Hosts of sandboxes, by state: healthy, draining or unhealthy.",
      labelNames: ["state"],
      registers,
    }),
  };
}

function inside(registry: Registry) {
  const registers = [registry];
  return {
    sandboxCommands: new Counter({
      name: "berth_sandbox_commands_total",
      help: "Commands that ended, by reason: exit, timeout, oom, output_limit, disk_full, killed or lost.",
      labelNames: ["reason"],
      registers,
    }),
    sandboxCommandSeconds: new Histogram({
      name: "berth_sandbox_command_seconds",
      help: "Time of a command.",
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 15, 60, 120, 600],
      registers,
    }),
    sandboxEgress: new Counter({
      name: "berth_sandbox_egress_total",
      help: "Connections and requests that sandboxes of this machine and of sandbox hosts asked for, by decision: allowed, denied or failed (allowed, and not reached), and by reason.",
      labelNames: ["decision", "reason"],
      registers,
    }),
    sandboxEgressBytes: new Counter({
      name: "berth_sandbox_egress_bytes_total",
      help: "Bytes that sandboxes sent out and got in, by direction: out or in.",
      labelNames: ["direction"],
      registers,
    }),
    sandboxEgressLost: new Counter({
      name: "berth_sandbox_egress_lost_total",
      help: "What sandboxes of a sandbox host asked for and is in no other metric: dropped (the host had no more room) or foreign (told of sandboxes that it does not have).",
      labelNames: ["host", "why"],
      registers,
    }),
    previewRequests: new Counter({
      name: "berth_preview_requests_total",
      help: "Requests to ports of sandboxes, by outcome: proxied, refused (no good token) or failed.",
      labelNames: ["outcome"],
      registers,
    }),
    terminals: new Gauge({
      name: "berth_terminals",
      help: "Terminals that are open now.",
      registers,
    }),
  };
}
