import { boundedLabel } from "../metrics/bounded-label.ts";
import type { EventScope, Sinks } from "./scope.ts";

export interface SandboxCreated extends EventScope {
  readonly sandboxId: string;
  readonly host: string;
  /** `ok`, or the code of the error. */
  readonly outcome: string;
  readonly durationMs: number;
}

export interface SandboxClaimed extends EventScope {
  readonly sandboxId: string;
  readonly strategy: string;
  /** `warm`: one that was ready; `new`: one that was made for it. */
  readonly source: "warm" | "new";
  /** The wait for room included. */
  readonly durationMs: number;
}

export interface SandboxRefused extends EventScope {
  readonly code: string;
}

export interface SandboxEnded extends EventScope {
  readonly sandboxId: string;
  /** Few words of our own: `idle`, `lost`, … */
  readonly reason: string;
}

export interface SandboxesSwept {
  readonly host: string;
  /** Sandboxes without an owner, and remains of dead ones, that were ended. */
  readonly removed: number;
  /** Another deployment's, or unreadable: left alone. */
  readonly foreign: number;
}

export interface CommandEnded extends EventScope {
  readonly sandboxId: string;
  readonly reason: string;
  readonly durationMs: number;
}

export interface EgressAsked extends EventScope {
  readonly sandboxId: string;
  readonly decision: "allowed" | "denied" | "failed";
  /** In one word of our own: `allowed`, `not_listed`, `unreachable`, … */
  readonly reason: string;
  /** As it was asked for: what a sandbox says. */
  readonly target: string;
  /** How many were alike; 0: only bytes of what was told before. */
  readonly count: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
}

export interface EgressLost {
  readonly host: string;
  /** `dropped`: the host had no room for it; `foreign`: it was told of sandboxes that the host does not have. */
  readonly why: "dropped" | "foreign";
  readonly count: number;
}

interface HostEmptying {
  readonly host: string;
  /** By this look. */
  readonly moved: number;
  /** Still there: a sandbox has them, or they could not be moved. */
  readonly inUse: number;
  readonly stayed: number;
  /** Still there, and no session's: the session has others by now, or they are copies that were not finished. */
  readonly leftovers: number;
  /** That take workspaces. */
  readonly otherHosts: number;
}

/** What happens with sandboxes. */
export function sandboxEvents(sinks: Sinks) {
  return { ...lifeEvents(sinks), ...sweepEvents(sinks), ...useEvents(sinks) };
}

function lifeEvents({ logger, metrics }: Sinks) {
  const labels = { outcome: boundedLabel(20), ended: boundedLabel(20), refusal: boundedLabel(20) };
  return {
    sandboxCreated(event: SandboxCreated): void {
      const outcome = labels.outcome(event.outcome);
      metrics.sandboxCreateSeconds.observe({ outcome }, event.durationMs / 1_000);
      if (event.outcome === "ok") logger.debug({ ...event }, "a sandbox was made");
      else logger.warn({ ...event }, "a sandbox could not be made");
    },

    sandboxClaimed(event: SandboxClaimed): void {
      const { source } = event;
      metrics.sandboxClaims.inc({ source });
      metrics.sandboxClaimSeconds.observe({ source }, event.durationMs / 1_000);
      logger.info({ ...event }, "a session was given a sandbox");
    },

    sandboxRefused(event: SandboxRefused): void {
      metrics.sandboxRefusals.inc({ code: labels.refusal(event.code) });
      logger.warn({ ...event }, "a session was given no sandbox");
    },

    sandboxEnded(event: SandboxEnded): void {
      metrics.sandboxesEnded.inc({ reason: labels.ended(event.reason) });
      const lost = event.reason === "lost";
      logger[lost ? "warn" : "info"]({ ...event }, lost ? "a sandbox was lost" : "a sandbox ended");
    },

    sandboxDestroyRetried(event: { readonly sandboxId: string; readonly error: unknown }): void {
      metrics.sandboxDestroyRetries.inc();
      logger.warn({ ...event }, "a sandbox could not be ended, and is tried again");
    },
  };
}

function sweepEvents({ logger, metrics }: Sinks) {
  return {
    sandboxesSwept({ host, removed, foreign }: SandboxesSwept): void {
      metrics.sandboxForeign.set({ host }, foreign);
      if (removed === 0) return;
      metrics.sandboxOrphans.inc(removed);
      logger.warn({ host, removed, foreign }, "what belonged to nobody was removed");
    },

    sandboxSweepFailed(event: { readonly host: string; readonly error: unknown }): void {
      metrics.sandboxSweepFailures.inc();
      logger.warn({ ...event }, "a sweep of a sandbox host failed, and ended nothing");
    },

    /** A workspace was to be moved off a host that drains; `why` it stayed there, or null. */
    workspaceMoved(event: { readonly from: string; readonly to: string; readonly why: string | null }): void {
      const stayed = event.why !== null;
      metrics.workspacesMoved.inc({ outcome: stayed ? "stayed" : "moved" });
      if (stayed) logger.warn({ ...event }, "a workspace could not be moved off a host that drains");
      else logger.debug({ ...event }, "a workspace was moved off a host that drains");
    },

    /** How far it is with a host that drains. */
    sandboxHostEmptying(event: HostEmptying): void {
      const { host, inUse, stayed, leftovers } = event;
      const toMove = inUse + stayed;
      metrics.workspacesToMove.set({ host }, toMove);
      const story =
        toMove > 0
          ? "a sandbox host drains: its workspaces are moved to others"
          : leftovers > 0
            ? "a sandbox host drains: what is on it is no session's any more, and is removed"
            : "no workspace is left on a sandbox host that drains";
      logger.info({ ...event }, story);
    },

    /** A host does not drain any more, or is gone. */
    sandboxHostEmptied({ host }: { readonly host: string }): void {
      metrics.workspacesToMove.remove({ host });
    },

    /** How many there are by state, from time to time. */
    sandboxesCounted(byState: Readonly<Record<string, number>>): void {
      for (const [state, count] of Object.entries(byState)) metrics.sandboxesLive.set({ state }, count);
    },

    sandboxHostsCounted(byState: Readonly<Record<"healthy" | "draining" | "unhealthy", number>>): void {
      for (const [state, count] of Object.entries(byState)) metrics.sandboxHosts.set({ state }, count);
    },
  };
}

function useEvents({ logger, metrics }: Sinks) {
  const [commands, reasons] = [boundedLabel(20), boundedLabel(20)];
  return {
    commandEnded(event: CommandEnded): void {
      metrics.sandboxCommands.inc({ reason: commands(event.reason) });
      metrics.sandboxCommandSeconds.observe(event.durationMs / 1_000);
      logger.debug({ ...event }, "a command ended");
    },

    egressAsked(event: EgressAsked): void {
      const { decision, count, bytesOut, bytesIn } = event;
      metrics.sandboxEgress.inc({ decision, reason: reasons(event.reason) }, count);
      metrics.sandboxEgressBytes.inc({ direction: "out" }, bytesOut);
      metrics.sandboxEgressBytes.inc({ direction: "in" }, bytesIn);
      if (decision === "denied") logger.info({ ...event }, "a sandbox was refused a connection");
      else if (decision === "failed")
        logger.info({ ...event }, "a place that a sandbox may reach was not reached");
      else logger.debug({ ...event }, "a sandbox was let out");
    },

    egressLost(event: EgressLost): void {
      const { host, why, count } = event;
      metrics.sandboxEgressLost.inc({ host, why }, count);
      logger.warn({ ...event }, "what sandboxes of a sandbox host asked for is not known in full");
    },

    egressFailed(event: { readonly host: string; readonly error: unknown }): void {
      logger.warn({ ...event }, "a sandbox host cannot be asked what its sandboxes ask for");
    },

    previewAsked({ outcome }: { readonly outcome: "proxied" | "refused" | "failed" }): void {
      metrics.previewRequests.inc({ outcome });
    },

    terminalOpened(event: EventScope & { readonly sandboxId: string }): void {
      metrics.terminals.inc();
      logger.info({ ...event }, "a terminal was opened");
    },

    terminalClosed(event: EventScope & { readonly sandboxId: string }): void {
      metrics.terminals.dec();
      logger.info({ ...event }, "a terminal was closed");
    },
  };
}
