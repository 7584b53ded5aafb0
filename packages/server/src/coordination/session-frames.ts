/** What travels on the bus for one session, and what a worker answers. The same bytes go to every follower: `json` is made once. */
export type SessionFrame =
  | {
      readonly kind: "events";
      readonly events: readonly { readonly seq: number; readonly type: string; readonly json: string }[];
    }
  | LiveFrame;

export interface LiveFrame {
  readonly kind: "live";
  readonly type: string;
  readonly namespace: string;
  readonly json: string;
  /** For text deltas: where in its block this text stands. `length` in UTF-16 code units. */
  readonly delta?: DeltaPlace;
}

export interface DeltaPlace {
  readonly messageId: string;
  readonly blockId: number;
  readonly attempt: number;
  readonly offset: number;
  readonly length: number;
}

/** Topic of a session's frames; asked `{ask: "open_blocks"}` the holder answers with one LiveFrame for each open block, offset 0 and its whole text so far. */
export function sessionTopic(orgId: string, sessionId: string): string {
  return `session:${orgId}:${sessionId}`;
}

/** Topic of an organization's hints: something in this list may have changed, query again. */
export function hintTopic(orgId: string, topic: "approvals" | "sessions"): string {
  return `hint:${orgId}:${topic}`;
}

export interface Hint {
  readonly sessionId: string;
  /** Who may be told of it, when the session's row would not say so any more; else the row is asked. */
  readonly seenBy?: { readonly owner: string; readonly visibility: "private" | "org" };
}

/** Presence group of the workers, and the topic on which each answers commands. */
export const workersGroup = "workers";

export function workerTopic(workerId: string): string {
  return `worker:${workerId}`;
}

export type WorkerCommand =
  /** Answers `woken`, or null when the session is not there. `inputs`: the ids of all that came, where that is known. */
  | {
      readonly op: "wake";
      readonly orgId: string;
      readonly sessionId: string;
      readonly inputs?: readonly string[];
    }
  | { readonly op: "stats" }
  | { readonly op: "health" }
  | { readonly op: "sessions"; readonly orgId: string }
  /** Answers `evicted`, `busy` (it runs or is being written) or `absent`. */
  | { readonly op: "evict"; readonly orgId: string; readonly sessionId: string }
  /** Evicts what is idle; answers how many. */
  | { readonly op: "cleanup"; readonly orgId: string };
