import type { Actor, InputBody, Visibility } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import type { BerthError } from "../lib/errors.ts";
import { failpoint } from "../lib/failpoint.ts";
import { newId } from "../lib/id.ts";
import type { AuditDraft } from "../store/audit.ts";
import type { Lane, NewInput, SessionRecord } from "../store/records.ts";
import type { AcceptedRecord, Outcome, Refusal } from "../store/store.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { wakeSession } from "./wake-session.ts";

interface InputDraft {
  readonly lane: Lane;
  readonly body: InputBody;
  /** Given to the run that the input starts. */
  readonly runId?: string;
}

/** An input of a principal, ready to be accepted. */
export function newInput(draft: InputDraft, principal: Principal, origin: Origin): NewInput {
  const { lane, body, runId } = draft;
  return {
    id: newId("input"),
    lane,
    body,
    runId: runId ?? null,
    actor: actorOf(principal),
    clientId: "clientId" in body ? (body.clientId ?? null) : null,
    traceparent: origin.traceparent,
  };
}

function actorOf({ type, id }: Principal): Actor {
  return { type, id };
}

/** A refusal as the store takes it. */
export function refusalOf({ code, message, details }: BerthError): Refusal {
  return { code, message, details };
}

interface Acceptance {
  readonly session: SessionRecord;
  readonly inputs: readonly NewInput[];
  readonly origin: Origin;
  readonly rejectIfBusy?: boolean;
  /** Why nothing but a repetition can be accepted; null: it can. */
  readonly refusal?: BerthError | null;
  /** Who may see the session from now on. */
  readonly visibility?: Visibility | undefined;
  readonly audit?: AuditDraft | null;
}

/** Commits inputs to a session's mailbox and wakes whoever runs it. Rejects as `SessionStore.accept` does. */
export async function acceptInputs(
  context: OperationsContext,
  { session, inputs, origin, rejectIfBusy = false, refusal = null, visibility, audit = null }: Acceptance,
): Promise<Outcome<readonly AcceptedRecord[]>> {
  const { orgId, id: sessionId } = session;
  const accepted = context.store.session(orgId, sessionId).accept({
    inputs,
    rejectIfBusy,
    limit: context.settings.mailboxLimit,
    ...(refusal !== null && { refusal: refusalOf(refusal) }),
    ...(visibility !== undefined && { visibility }),
    ...(audit !== null && { audit }),
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
  });
  announce(context, session, inputs);
  const outcome = await accepted;
  failpoint("http.accepted.before-reply");
  if (inputs.length > 0)
    await wakeSession(context, session, {
      urgent: inputs.every(({ lane }) => lane === "control"),
      inputs: inputs.map(({ id }) => id),
    });
  if (!outcome.replayed) {
    for (const { id, body } of inputs) {
      context.telemetry.inputAccepted({ orgId, sessionId, inputId: id, type: body.type });
    }
  }
  return outcome;
}

/**
 * Tells the worker that holds the session of a message while it is being committed: a session at rest takes it in the same transaction, one
 * commit and one read of its mailbox less for each turn.
 */
function announce(
  { announcements }: OperationsContext,
  { holder, orgId, id: sessionId, currentRunId }: SessionRecord,
  [input, ...others]: readonly NewInput[],
): void {
  if (holder === null || currentRunId !== null || input === undefined || others.length > 0) return;
  const { lane, body, clientId: _, ...rest } = input;
  if (lane === "control" || body.type !== "user.message") return;
  announcements.tell(holder, { ...rest, orgId, sessionId, lane, body });
}
