import { foldWith } from "./fold-log.ts";
import { BerthError } from "../lib/errors.ts";
import type { SessionState } from "../session/state.ts";
import { stateVersion } from "../session/state.ts";
import type { Rewind } from "../store/records.ts";
import type { Held, RuntimeContext } from "./context.ts";

export interface LoadedSession {
  readonly state: SessionState;
  readonly rewinds: readonly Rewind[];
  /** Seq of the fork's own first event; null when the session is no fork. */
  readonly forkedAt: number | null;
  readonly snapshotSeq: number;
  readonly poisoned: boolean;
  /** Milliseconds that reading and folding took. */
  readonly initMs: number;
}

/** Claims without a new event after which a session is taken to kill its workers. */
const poisonedFrom = 3;

/** Reads and folds a session that was just claimed: the newest snapshot and the log after it. */
export async function loadSession(
  context: RuntimeContext,
  held: Held,
  claims: number,
): Promise<LoadedSession> {
  const startedAt = context.clock.monotonic();
  const { orgId, sessionId } = held;
  const loaded = await context.store.session(orgId, sessionId).load({ stateVersion });
  if (loaded === null) throw new BerthError("session_not_found", "The session was deleted.");
  const state = foldWith(loaded);
  const initMs = Math.round((context.clock.monotonic() - startedAt) * 100) / 100;
  context.telemetry.sessionActivated({ orgId, sessionId, events: loaded.events.length, durationMs: initMs });
  const { rewinds, forkedFrom } = loaded.record;
  return {
    // One text for its id: the log's own would be kept beside it.
    state: { ...state, sessionId },
    rewinds,
    forkedAt: forkedFrom === null ? null : forkedFrom.seq + 1,
    snapshotSeq: loaded.snapshot?.seq ?? 0,
    poisoned: claims >= poisonedFrom,
    initMs,
  };
}

/** The state as it was at a seq of the effective log; null when the log does not reach there. */
export async function stateAt(
  context: RuntimeContext,
  held: Held,
  seq: number,
): Promise<SessionState | null> {
  if (seq < 1) return null;
  const loaded = await context.store.session(held.orgId, held.sessionId).load({ stateVersion, upTo: seq });
  return loaded === null ? null : foldWith(loaded);
}
