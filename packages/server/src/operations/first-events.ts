import { fold } from "../session/fold.ts";
import { type NewEvent, stamp } from "../session/new-event.ts";
import { blobsOf } from "../session/project.ts";
import { initialState, type SessionState, statusOf } from "../session/state.ts";
import type { SessionEvent } from "@berth/contract";
import type { StoredEvent } from "../store/records.ts";
import type { NewSession } from "../store/store.ts";

interface FirstEvents {
  readonly orgId: string;
  readonly sessionId: string;
  /** RFC 3339. */
  readonly at: string;
  readonly events: readonly NewEvent[];
}

/** A session that begins with these events. */
export function firstEvents({ orgId, sessionId, at, events }: FirstEvents): Omit<NewSession, "inputs"> {
  const place = { sessionId, seq: 0, runId: null, agentId: "" };
  const stamped = stamp(place, events, at);
  return newSessionOf(orgId, stamped, fold(stamped, initialState));
}

/** What the store is told of a session whose own first events are these and whose state after them is this. */
export function newSessionOf(
  orgId: string,
  events: readonly SessionEvent[],
  state: SessionState,
): Omit<NewSession, "inputs"> {
  return {
    row: {
      orgId,
      id: state.sessionId,
      agent: state.agent,
      owner: state.owner,
      key: state.key,
      title: state.title,
      metadata: state.metadata,
      model: state.model,
      status: statusOf(state),
      currentRunId: state.run?.id ?? null,
      forkedFrom: null,
      usage: state.usage,
    },
    events: events.map(storedEvent),
    blobs: blobsOf(events),
  };
}

function storedEvent(event: SessionEvent): StoredEvent {
  return { seq: event.seq, type: event.type, json: JSON.stringify(event) };
}
