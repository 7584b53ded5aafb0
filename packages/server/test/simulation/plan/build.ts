export interface PlannedFollower {
  readonly session: number;
  readonly at: number;
}

/** How a world is built. Times are milliseconds. */
export interface Build {
  readonly workers: number;
  readonly apis: number;
  readonly leaseMs: number;
  readonly sweepMs: number;
  readonly mailboxPollMs: number;
  readonly snapshotEvery: number;
  readonly concurrency: number;
  readonly maxSessions: number;
  readonly idleTtlMs: number;
  readonly contextWindow: number;
  /** Models refuse what does not fit their window. */
  readonly strictWindow: boolean;
  readonly approvalMs: number;
  /** No frame and no question arrives any more while everything comes to rest: only what looks by itself goes on. */
  readonly silentRest: boolean;
  readonly followers: readonly PlannedFollower[];
}
