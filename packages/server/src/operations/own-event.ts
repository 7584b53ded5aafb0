import type { SessionEvent } from "@berth/contract";
import { decodeEvent } from "../session/upcast.ts";
import type { SessionRecord, StoredEvent } from "../store/records.ts";

/** An event as readers of this session see it: a prefix that is shared with another session's log carries this one's id. */
export function ownEvent(stored: StoredEvent, { id }: Pick<SessionRecord, "id">): SessionEvent {
  const event = decodeEvent(stored.json);
  return event.sessionId === id ? event : { ...event, sessionId: id };
}
