import type { SessionEvent } from "@berth/contract";
import { evolve } from "./evolve.ts";
import { initialState, type SessionState } from "./state.ts";

/** The rewind at `at` undid the events from `toSeq + 1` to `at - 1`. */
export interface RewindRange {
  readonly at: number;
  readonly toSeq: number;
}

/** True when a rewind undid this event (or a snapshot taken after it). */
export function isUndone(seq: number, rewinds: readonly RewindRange[]): boolean {
  return rewinds.some((rewind) => seq > rewind.toSeq && seq < rewind.at);
}

/** What the rewinds in a raw log left of it. */
export function effectiveEvents(raw: readonly SessionEvent[]): readonly SessionEvent[] {
  const rewinds = rewindsOf(raw);
  return rewinds.length === 0 ? raw : raw.filter((event) => !isUndone(event.seq, rewinds));
}

export function rewindsOf(raw: readonly SessionEvent[]): readonly RewindRange[] {
  return raw.flatMap((event) =>
    event.type === "session.rewound" ? [{ at: event.seq, toSeq: event.data.toSeq }] : [],
  );
}

/** State after events of the effective log, from a state before them (default: the beginning). */
export function fold(events: Iterable<SessionEvent>, from: SessionState = initialState): SessionState {
  let state = from;
  for (const event of events) state = evolve(state, event);
  return state;
}
