import { type Hint, hintTopic, type WorkerCommand, workerTopic } from "../coordination/session-frames.ts";
import type { SessionRecord } from "../store/records.ts";
import type { OperationsContext } from "./context.ts";

/**
 * Says that a session has something to do: to the queue, and straight to the worker that holds it, so that neither has to
 * find out by itself. Both are hints; what is lost is found by the sweep.
 */
export async function wakeSession(
  context: OperationsContext,
  session: Pick<SessionRecord, "orgId" | "id" | "holder">,
): Promise<void> {
  const { orgId, id: sessionId, holder } = session;
  if (holder !== null) {
    const wake: WorkerCommand = { op: "wake", orgId, sessionId };
    // Nobody waits for the answer: there is none.
    void context.bus.ask(workerTopic(holder), wake, context.settings.workerAnswerMs);
  }
  await context.queue.push({ orgId, sessionId });
}

/** Tells who shows the list of sessions that it may have changed. */
export function hintSessions(context: OperationsContext, session: { orgId: string; id: string }): void {
  const hint: Hint = { sessionId: session.id };
  context.bus.publish(hintTopic(session.orgId, "sessions"), hint);
}
