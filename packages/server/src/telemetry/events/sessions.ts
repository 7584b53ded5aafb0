import { boundedLabel } from "../metrics/bounded-label.ts";
import type { EventScope, Sinks } from "./scope.ts";

export interface InputAccepted extends EventScope {
  readonly inputId: string;
  readonly type: string;
}

export interface SessionClaimed extends EventScope {
  readonly epoch: number;
  /** Taken from a holder that is dead. */
  readonly takeover: boolean;
}

export interface SessionActivated extends EventScope {
  readonly events: number;
  readonly durationMs: number;
}

export interface SessionFenced extends EventScope {
  readonly epoch: number;
}

export interface SessionEvicted extends EventScope {
  readonly reason: "memory" | "count" | "idle" | "asked" | "drain";
  readonly bytes: number;
}

export interface Quarantined extends EventScope {
  readonly reason: string;
  readonly error?: unknown;
}

export interface ContextCompacted extends EventScope {
  readonly tokensBefore: number;
  readonly tokensAfter: number;
}

export interface CommitDone {
  /** Operations that shared it. */
  readonly operations: number;
  readonly durationMs: number;
}

/** A commit that takes longer, in milliseconds, is a sick disk and gets a line. */
const slowCommitMs = 1_000;

/** What happens to sessions and in the store. */
export function sessionEvents({ logger, metrics }: Sinks) {
  const inputType = boundedLabel(50);

  return {
    inputAccepted(event: InputAccepted): void {
      metrics.inputsAccepted.inc({ type: inputType(event.type) });
      logger.debug({ ...event }, "input accepted");
    },

    sessionClaimed(event: SessionClaimed): void {
      metrics.sessionsClaimed.inc({ takeover: String(event.takeover) });
      logger[event.takeover ? "info" : "debug"]({ ...event }, "session claimed");
    },

    sessionActivated(event: SessionActivated): void {
      metrics.activationSeconds.observe(event.durationMs / 1_000);
      logger.debug({ ...event }, "session activated");
    },

    sessionFenced(event: SessionFenced): void {
      metrics.sessionsFenced.inc();
      logger.warn({ ...event }, "session lost to another holder");
    },

    sessionEvicted(event: SessionEvicted): void {
      metrics.sessionsEvicted.inc({ reason: event.reason });
      logger.debug({ ...event }, "session evicted");
    },

    quarantined(event: Quarantined): void {
      metrics.sessionsQuarantined.inc();
      logger.error(
        { ...event },
        "session quarantined: look at it, then release it with `berth sessions release`",
      );
    },

    contextCompacted(event: ContextCompacted): void {
      metrics.contextsCompacted.inc();
      logger.info({ ...event }, "context compacted");
    },

    commitDone(event: CommitDone): void {
      metrics.commitSeconds.observe(event.durationMs / 1_000);
      metrics.commitBatch.observe(event.operations);
      if (event.durationMs >= slowCommitMs) logger.warn({ ...event }, "commit was slow: look at the disk");
    },
  };
}
