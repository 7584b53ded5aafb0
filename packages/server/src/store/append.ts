import type { Blocking, Overrun, Reserve } from "./budgets.ts";
import type { Projection, StoredEvent } from "./records.ts";
import type { LedgerEntry } from "./usage.ts";

export interface SessionCommit {
  readonly orgId: string;
  readonly sessionId: string;
  readonly epoch: number;
  /** The session's last seq before these events. */
  readonly expectedSeq: number;
  readonly events: readonly StoredEvent[];
  /** Inputs that these events take; their rows go in the same transaction. Each must be there, else `duplicate_input`. */
  readonly taken: readonly string[];
  /** The one that is taken must be the next of its mailbox too, else `duplicate_input`: who takes it has not read the mailbox. */
  readonly takesNext?: boolean;
  readonly projection?: Projection;
  /** Blobs that the log now refers to. */
  readonly blobs?: readonly string[];
  /** Highest event version among the events, when above 1: recorded on the row. */
  readonly maxEventVersion?: number;
  /** Calls that end with these events: each gets its row in the ledger. */
  readonly settles?: readonly LedgerEntry[];
  /** Model calls that begin with these events, after what is settled; with outcome `budget` nothing of the commit is written. */
  readonly reserves?: readonly Reserve[];
}

export type AppendOutcome =
  | { readonly ok: true; readonly overruns?: readonly Overrun[] }
  | { readonly ok: false; readonly reason: "fenced" | "wrong_seq" | "duplicate_input" | "too_large" }
  /** Without anything that blocks: what the run would wait for is not in its way any more. */
  | { readonly ok: false; readonly reason: "budget"; readonly blocking: readonly Blocking[] };

/** The only writer that spans orgs: appends that arrive while a commit is in flight share the next transaction; one that fails leaves its neighbours alone. */
export interface AppendLane {
  append(commit: SessionCommit): Promise<AppendOutcome>;
  /** Ends and begins calls that no event tells of: `fenced` or `budget` when they must not be made. No progress of the session. */
  reserve(calls: {
    readonly orgId: string;
    readonly sessionId: string;
    readonly epoch: number;
    readonly settles: readonly LedgerEntry[];
    readonly reserves: readonly Reserve[];
  }): Promise<AppendOutcome>;
}
