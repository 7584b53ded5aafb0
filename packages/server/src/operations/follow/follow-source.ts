import type { LiveItem, TextPlace } from "./live-item.ts";
import type { LogEntry } from "./log-entry.ts";

/** Why nothing will come any more. */
export interface FollowEnd {
  readonly code: "session_not_found" | "cursor_invalid" | "access_revoked" | "internal";
  readonly message: string;
}

/** Where a follower's events go: one client. Must not throw, nor call the follower before it has returned. */
export interface FollowSink {
  entry(entry: LogEntry): void;
  /** `json` is the item's own, or what is left of it when the client has its beginning. */
  live(item: LiveItem, json: string): void;
  /** The position moved on over events that the filter left out. */
  moved(cursor: string): void;
  end(end: FollowEnd): void;
  /** Bytes that the client has not taken yet. */
  readonly unsent: number;
  /** Asks for a later call of `Follower.drained`: when the client has taken what was sent so far. */
  askForDrain(): void;
}

/** A part of the log, from the seq after the one that was asked for. */
export interface LogPage {
  readonly generation: number;
  /** Where the log ended when this was read. */
  readonly lastSeq: number;
  readonly entries: readonly LogEntry[];
}

/** Where a follower's events come from. */
export interface FollowSource {
  /** Null when the session does not exist any more; `failed` when the store does not answer, until the next tick. */
  read(after: number): Promise<LogPage | null | "failed">;
  /** The text so far of the blocks that are being written; nothing when nobody answers. Never rejects. */
  openBlocks(): Promise<readonly LiveItem[]>;
  isFinished(text: TextPlace): boolean;
  /** Told of what must not happen. */
  report(thrown: unknown): void;
}

export interface FollowSettings {
  /** Bytes that may wait for a client before it is sent back to reading from the store. */
  readonly maxUnsent: number;
  /** How often a filtered follower is told where it is, milliseconds. */
  readonly cursorEveryMs: number;
  /** Least time between two questions for the text so far, milliseconds. */
  readonly askEveryMs: number;
}

/** Frames that are kept while a page or an answer is under way; what is beyond is read or asked again. */
export const maxHeld = 1_000;
