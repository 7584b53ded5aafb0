import { type Hint, hintTopic, type WorkerCommand, workerTopic } from "../coordination/session-frames.ts";
import type { WakeUp } from "../coordination/queue.ts";
import type { SessionRecord } from "../store/records.ts";
import type { OperationsContext } from "./context.ts";

/**
 * Says that a session has something to do: straight to the worker that holds it, else to the queue. Both are hints; what is
 * lost is found by the sweep. Urgent is what needs no place among the runs.
 */
export async function wakeSession(
  context: OperationsContext,
  session: Pick<SessionRecord, "orgId" | "id" | "holder" | "owner">,
  { urgent = false, inputs = [] }: { readonly urgent?: boolean; readonly inputs?: readonly string[] } = {},
): Promise<void> {
  const { orgId, id: sessionId, holder, owner } = session;
  const wakeUp = { orgId, sessionId, owner, urgent };
  if (holder === null) return context.queue.push(wakeUp);
  // Nobody waits for the answer, which a worker that died does not give.
  void wakeHolder(context, { ...wakeUp, holder, inputs }).catch((error: unknown) =>
    context.telemetry.unexpectedError({ where: "wake", error, orgId, sessionId }),
  );
}

/** Not to both: each wake-up makes the session read its mailbox. */
async function wakeHolder(
  { bus, queue, settings }: OperationsContext,
  { holder, inputs, ...wakeUp }: WakeUp & { readonly holder: string; readonly inputs: readonly string[] },
): Promise<void> {
  const { orgId, sessionId } = wakeUp;
  const wake: WorkerCommand = { op: "wake", orgId, sessionId, inputs };
  const woken = await bus.ask(workerTopic(holder), wake, settings.workerAnswerMs);
  if (woken === null) await queue.push(wakeUp);
}

/** Tells who shows the list of sessions that it may have changed: those who may see the session as it is given here. */
export function hintSessions(
  context: OperationsContext,
  session: Pick<SessionRecord, "orgId" | "id" | "owner" | "visibility">,
): void {
  const { owner, visibility } = session;
  const hint: Hint = { sessionId: session.id, seenBy: { owner, visibility } };
  context.bus.publish(hintTopic(session.orgId, "sessions"), hint);
}
