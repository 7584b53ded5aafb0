import { isLive, parseCursor, type StreamEvent } from "@berth/contract";
import { type Backoff, backoffMs, type Clock, pause } from "./clock.ts";
import { BerthApiError } from "./error.ts";
import type { FollowedEvent, Frame, OpenConnection } from "./event-frame.ts";
import { refusalOf } from "./refusal.ts";

/** What happens to the connection under a follower. */
export type FollowState =
  | { readonly status: "connected" }
  | { readonly status: "reconnecting"; readonly attempt: number; readonly error: Error | null };

export interface FollowOptions {
  readonly open: OpenConnection;
  readonly clock: Clock;
  readonly random: () => number;
  readonly backoff: Backoff;
  /** Cursor after which to begin; null: from the first event. */
  readonly after: string | null;
  /** True when the server leaves out nothing, so that a jump in the numbers means a loss. */
  readonly complete: boolean;
  readonly signal: AbortSignal;
  readonly onState?: (state: FollowState) => void;
}

/**
 * Every event after a cursor, each once and in order, over any number of connections. Ends when the signal aborts or nothing
 * can come any more; rejects when the server refuses for good.
 */
export async function* follow(options: FollowOptions): AsyncGenerator<FollowedEvent> {
  const { signal, clock, onState } = options;
  const place = createPlace(options.after, options.complete);
  let attempt = 0;
  let pauseMs = options.backoff.baseMs;
  let connected = false;
  while (!signal.aborted) {
    let failure: unknown = null;
    try {
      for await (const frame of options.open(place.cursor(), signal)) {
        if (signal.aborted) return;
        if (frame.kind === "ended" && frame.code === "archived") return;
        if (frame.kind === "ended") throw refusalOf(frame);
        if (frame.kind === "retry") pauseMs = frame.ms;
        if (!connected) onState?.({ status: "connected" });
        connected = true;
        if (frame.kind !== "open") attempt = 0;
        const event = place.take(frame);
        if (event !== null) yield event;
      }
    } catch (thrown) {
      failure = thrown;
    }
    if (signal.aborted) return;
    if (isFinal(failure)) throw failure;
    connected = false;
    onState?.({ status: "reconnecting", attempt, error: failure instanceof Error ? failure : null });
    const backoff = { baseMs: pauseMs, capMs: Math.max(options.backoff.capMs, pauseMs) };
    await pause(clock, Math.max(askedMs(failure), backoffMs(backoff, attempt, options.random)), signal);
    attempt += 1;
  }
}

/** The server's word that trying again is of no use: the key, the session or the cursor is wrong. */
function isFinal(failure: unknown): boolean {
  if (failure instanceof BrokenStreamError) return failure.repeated;
  if (!(failure instanceof BerthApiError)) return false;
  const passing = failure.status === 408 || failure.status === 425 || failure.status === 429;
  return failure.status >= 400 && failure.status < 500 && !passing;
}

function askedMs(failure: unknown): number {
  return failure instanceof BerthApiError ? (failure.retryAfterMs ?? 0) : 0;
}

/** The stream left out events that its cursor cannot have passed. */
export class BrokenStreamError extends Error {
  /** It did so again when asked from the same place. */
  readonly repeated: boolean;

  constructor(after: number, next: number, repeated: boolean) {
    super(`the stream went from event ${after} to ${next}`);
    this.name = "BrokenStreamError";
    this.repeated = repeated;
  }
}

/** Gaps at the same place before the follower gives up: the log itself must be broken. */
const toleratedGaps = 3;

interface Place {
  cursor(): string | null;
  /** The event of a frame unless it was seen; moves the place on. Throws at a gap. */
  take(frame: Frame): FollowedEvent | null;
}

function createPlace(after: string | null, complete: boolean): Place {
  let cursor = after;
  let seq = after === null ? 0 : (parseCursor(after)?.seq ?? 0);
  let gaps = 0;

  function takeStored(event: Extract<StreamEvent, { seq: number }>, next: string): FollowedEvent | null {
    if (event.seq <= seq) return null;
    if (complete && event.seq !== seq + 1) {
      gaps += 1;
      throw new BrokenStreamError(seq, event.seq, gaps >= toleratedGaps);
    }
    gaps = 0;
    seq = event.seq;
    cursor = next;
    return { ...event, cursor: next };
  }

  return {
    cursor: () => cursor,
    take(frame) {
      if (frame.kind === "cursor") {
        const moved = parseCursor(frame.cursor);
        if (moved === null || moved.seq < seq || (complete && moved.seq > seq)) return null;
        cursor = frame.cursor;
        seq = moved.seq;
      }
      if (frame.kind !== "event") return null;
      const { event } = frame;
      if (isLive(event)) return event;
      return frame.cursor === null ? null : takeStored(event, frame.cursor);
    },
  };
}
