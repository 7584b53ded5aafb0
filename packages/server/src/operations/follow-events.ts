import type { Principal } from "../auth/principal.ts";
import { readableSession } from "./access.ts";
import type { OperationsContext } from "./context.ts";
import { seqOfCursor } from "./follow/cursor.ts";
import { eventFilter, type FilterRequest } from "./follow/event-filter.ts";
import type { FollowEnd, FollowSettings, FollowSink } from "./follow/follow-source.ts";
import { FollowedSession, type SourceSettings } from "./follow/followed-session.ts";
import { Follower } from "./follow/follower.ts";
import type { LiveItem } from "./follow/live-item.ts";
import type { LogEntry } from "./follow/log-entry.ts";
import { createTurns } from "./follow/turns.ts";

export type { FilterRequest, FollowEnd, Follower, FollowSink, LiveItem, LogEntry };

export type FollowingSettings = FollowSettings & SourceSettings;

export const defaultFollowingSettings: FollowingSettings = {
  maxUnsent: 1_048_576,
  cursorEveryMs: 10_000,
  askEveryMs: 100,
  tickMs: 2_000,
  answerMs: 500,
  pageEvents: 500,
  pageBytes: 262_144,
};

export interface FollowRequest {
  readonly sessionId: string;
  /** Cursor after which to begin; null: from the first event. */
  readonly after: string | null;
  readonly filter: FilterRequest;
}

/** `nothing`: the session is archived and no event lies after the cursor. */
export type Opened =
  | { readonly kind: "nothing" }
  | {
      readonly kind: "stream";
      /** `generation.seq` of where it begins. */
      readonly cursor: string;
      /** Begins to send. The caller stops the follower when the client is gone. */
      start(sink: FollowSink): Follower;
    };

export interface Following {
  /** Rejects with `forbidden`, `session_not_found`, `validation_failed` (cursor or filter) or `cursor_invalid`. */
  open(principal: Principal, request: FollowRequest): Promise<Opened>;
  /** Sessions that are followed now. */
  readonly size: number;
}

/** Follows sessions' logs for the clients of this process: backfill from the store, cut-over, live from the bus. */
export function createFollowing(
  context: OperationsContext,
  settings: FollowingSettings = defaultFollowingSettings,
): Following {
  const { store, bus, clock, telemetry } = context;
  const sessions = new Map<string, FollowedSession>();
  const turns = createTurns();

  function followed(orgId: string, sessionId: string): FollowedSession {
    const key = `${orgId}/${sessionId}`;
    const known = sessions.get(key);
    if (known !== undefined) return known;
    const session = new FollowedSession({
      orgId,
      sessionId,
      store: store.session(orgId, sessionId),
      bus,
      clock,
      settings,
      turns,
      report: (error) => telemetry.unexpectedError({ where: "follow", error, orgId, sessionId }),
      onEmpty: () => sessions.delete(key),
    });
    sessions.set(key, session);
    return session;
  }

  return {
    async open(principal, { sessionId, after, filter: wanted }) {
      const filter = eventFilter(wanted);
      const session = await readableSession({ context, principal, id: sessionId });
      const seq = seqOfCursor(after, session);
      if (session.status === "archived" && seq === session.lastSeq) return { kind: "nothing" };
      const { orgId, generation } = session;
      return {
        kind: "stream",
        cursor: `${generation}.${seq}`,
        start(sink) {
          const source = followed(orgId, sessionId);
          const follower = new Follower({ source, sink, filter, clock, settings, generation, after: seq });
          source.join(follower, generation);
          return follower;
        },
      };
    },
    get size() {
      return sessions.size;
    },
  };
}
