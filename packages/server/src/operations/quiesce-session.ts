import type { Actor } from "@berth/contract";
import { workerTopic, type WorkerCommand } from "../coordination/session-frames.ts";
import { pause } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { NewInput, SessionRecord } from "../store/records.ts";
import { applyInputs } from "./apply-inputs.ts";
import type { OperationsContext, Origin } from "./context.ts";

/** Milliseconds between two questions to a worker that is about to be done with a session. */
const askAgainMs = 25;

/** Why a run need not be ended, or cannot be. */
const noMatter: ReadonlySet<string> = new Set([
  "run_not_running",
  "session_not_found",
  "session_quarantined",
  "mailbox_full",
]);

interface Quiescence {
  readonly actor: Actor;
  /** Told in the log that is about to go. */
  readonly reason: string;
  readonly origin: Origin;
}

/**
 * Ends a session's run and has its worker let go of it, so that nothing goes on for it when it is deleted. A worker that does not
 * answer is fenced by the deletion.
 */
export async function quiesceSession(
  context: OperationsContext,
  session: SessionRecord,
  quiescence: Quiescence,
): Promise<void> {
  if (session.currentRunId !== null) await endRun(context, session, quiescence);
  await letGo(context, session);
}

async function letGo(context: OperationsContext, { orgId, id, holder }: SessionRecord): Promise<void> {
  if (holder === null) return;
  const { clock, settings } = context;
  const deadline = clock.monotonic() + settings.workerAnswerMs;
  const evict: WorkerCommand = { op: "evict", orgId, sessionId: id };
  const ask = () => context.bus.ask(workerTopic(holder), evict, settings.workerAnswerMs);
  while ((await ask()) === "busy" && clock.monotonic() < deadline) await pause(clock, askAgainMs);
}

async function endRun(
  context: OperationsContext,
  session: SessionRecord,
  { actor, reason, origin }: Quiescence,
): Promise<void> {
  const input: NewInput = {
    id: newId("input"),
    lane: "control",
    body: { type: "user.interrupt", reason },
    runId: null,
    actor,
    clientId: null,
    traceparent: origin.traceparent,
  };
  try {
    await applyInputs(context, { session, inputs: [input], origin });
  } catch (thrown) {
    if (!(thrown instanceof BerthError) || !noMatter.has(thrown.code)) throw thrown;
  }
}
