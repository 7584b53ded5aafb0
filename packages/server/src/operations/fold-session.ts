import { fold } from "../session/fold.ts";
import { decodeState } from "../session/snapshot.ts";
import { initialState, type SessionState, stateVersion } from "../session/state.ts";
import { decodeEvent } from "../session/upcast.ts";
import type { SessionRecord } from "../store/records.ts";
import { sessionNotFound } from "./access.ts";
import type { OperationsContext } from "./context.ts";

/** The state that a session's log tells, up to and with a seq (default: the end). Rejects with `session_not_found`. */
export async function foldSession(
  context: OperationsContext,
  session: Pick<SessionRecord, "orgId" | "id">,
  upTo?: number,
): Promise<{ record: SessionRecord; state: SessionState }> {
  const log = await context.store
    .session(session.orgId, session.id)
    .load({ stateVersion, ...(upTo !== undefined && { upTo }) });
  if (log === null) throw sessionNotFound(session.id);
  const from = log.snapshot === null ? initialState : decodeState(log.snapshot.body);
  const events = log.events.map(({ json }) => decodeEvent(json));
  return { record: log.record, state: fold(events, from) };
}
