import type { Principal } from "../auth/principal.ts";
import { workerTopic, type WorkerCommand } from "../coordination/session-frames.ts";
import { pause } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import type { SessionRecord } from "../store/records.ts";
import { newInput } from "./accept-inputs.ts";
import { requireOwn, sessionFor, sessionNotFound } from "./access.ts";
import { applyInputs } from "./apply-inputs.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { hintSessions } from "./wake-session.ts";

/**
 * Drops a session, its log, its mailbox and its workspace; a part of the log that a fork needs stays for the fork. Its run is
 * ended first and its worker lets go of it, so that nothing goes on for it; whoever holds it all the same cannot write any
 * more. Rejects with `session_not_found`.
 */
export async function deleteSession(
  context: OperationsContext,
  principal: Principal,
  { sessionId, origin }: { readonly sessionId: string; readonly origin: Origin },
): Promise<void> {
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:delete" });
  requireOwn(principal, session, "delete it");
  const { orgId } = session;
  if (session.currentRunId !== null) await endRun(context, { principal, session, origin });
  await letGo(context, session);
  const audit = auditDraft(principal, origin, {
    action: "session.deleted",
    target: { type: "session", id: session.id },
    details: { owner: session.owner, events: session.lastSeq },
  });
  if (!(await context.store.org(orgId).deleteSession(sessionId, audit))) throw sessionNotFound(sessionId);
  await context.sandboxes.destroy({ orgId, sessionId });
  hintSessions(context, session);
}

/** Milliseconds between two questions to a worker that is about to be done with a session. */
const askAgainMs = 25;

/** Asks the holder to let go, as long as it ends what it did; one that does not is fenced by the deletion. */
async function letGo(context: OperationsContext, { orgId, id, holder }: SessionRecord): Promise<void> {
  if (holder === null) return;
  const { clock, settings } = context;
  const deadline = clock.monotonic() + settings.workerAnswerMs;
  const evict: WorkerCommand = { op: "evict", orgId, sessionId: id };
  const ask = () => context.bus.ask(workerTopic(holder), evict, settings.workerAnswerMs);
  while ((await ask()) === "busy" && clock.monotonic() < deadline) await pause(clock, askAgainMs);
}

/** Why a run need not be ended, or cannot be. */
const noMatter: ReadonlySet<string> = new Set(["run_not_running", "session_quarantined", "mailbox_full"]);

async function endRun(
  context: OperationsContext,
  { principal, session, origin }: { principal: Principal; session: SessionRecord; origin: Origin },
): Promise<void> {
  const body = { type: "user.interrupt", reason: "The session is deleted." } as const;
  const input = newInput({ lane: "control", body }, principal, origin);
  try {
    await applyInputs(context, { session, inputs: [input], origin });
  } catch (thrown) {
    if (!(thrown instanceof BerthError) || !noMatter.has(thrown.code)) throw thrown;
  }
}
