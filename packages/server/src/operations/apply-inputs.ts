import type { AcceptedInput, SessionEvent, Visibility } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";
import type { AuditDraft } from "../store/audit.ts";
import type { NewInput, SessionRecord } from "../store/records.ts";
import { sessionNotFound } from "./access.ts";
import { acceptInputs } from "./accept-inputs.ts";
import { awaitEvents } from "./await-events.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { acceptedView } from "./views.ts";

/** What became of a change that goes through a session's mailbox. */
export type Applied =
  /** The events that took the inputs, in the inputs' order. */
  | { readonly done: true; readonly events: readonly SessionEvent[]; readonly replayed: boolean }
  /** Not taken in time; the last of the inputs, to look for later. */
  | { readonly done: false; readonly input: AcceptedInput; readonly replayed: boolean };

/** A reply: the result, or the input that still waits. */
export type Settled<T> =
  | { readonly done: true; readonly result: T; readonly replayed: boolean }
  | { readonly done: false; readonly input: AcceptedInput; readonly replayed: boolean };

interface Change {
  readonly session: SessionRecord;
  readonly inputs: readonly NewInput[];
  readonly origin: Origin;
  /** As for acceptInputs. */
  readonly refusal?: BerthError | null;
  readonly visibility?: Visibility | undefined;
  readonly audit?: AuditDraft | null;
}

/**
 * Accepts inputs and waits for their events. Rejects with the code of the refusal when one of them is refused in the log, and
 * as accepting does.
 */
export async function applyInputs(context: OperationsContext, change: Change): Promise<Applied> {
  const { session, origin } = change;
  const { result, replayed } = await acceptInputs(context, change);
  if (result.length === 0) return { done: true, events: [], replayed };
  const found = await awaitEvents(context, {
    orgId: session.orgId,
    sessionId: session.id,
    inputIds: result.map(({ id }) => id),
    // A repeated request's inputs may have been taken long ago.
    after: replayed ? 0 : session.lastSeq,
    signal: origin.signal,
  });
  const last = result.at(-1);
  if (last === undefined) throw new BerthError("internal", "a change accepted no input");
  if (found === null) return { done: false, input: acceptedView(last), replayed };
  const events = result.flatMap(({ id }) => found.get(id) ?? []);
  for (const event of events) if (event.type === "input.refused") throw refusal(event);
  return { done: true, events, replayed };
}

function refusal(event: SessionEvent<"input.refused">): BerthError {
  const { code, message, inputType, ref } = event.data;
  return new BerthError(code, message, {
    details: { inputId: event.inputId, inputType, ...(ref !== undefined && { ref }) },
  });
}

/** A change whose answer is read from the store once its events are there. */
export async function settle<T>(
  context: OperationsContext,
  change: Change,
  answer: (events: readonly SessionEvent[]) => Promise<T> | T,
): Promise<Settled<T>> {
  const applied = await applyInputs(context, change);
  if (!applied.done) return applied;
  return { done: true, result: await answer(applied.events), replayed: applied.replayed };
}

/** The session's row as it is now. Rejects with `session_not_found`. */
export async function reread(context: OperationsContext, session: SessionRecord): Promise<SessionRecord> {
  const record = await context.store.org(session.orgId).findSession(session.id);
  if (record === null) throw sessionNotFound(session.id);
  return record;
}
