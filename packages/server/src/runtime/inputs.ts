import { asBerthError, BerthError } from "../lib/errors.ts";
import { hashJson } from "../lib/canonical-json.ts";
import { decideInput, nextInput, refuse } from "../session/decide-input.ts";
import { decideRewind, decideRollback, type RewindContext } from "../session/decide-rewind.ts";
import { isSafePoint } from "../session/decide-rewind.ts";
import type { RunPlan } from "../session/decide-run.ts";
import { filesBackAt } from "../session/known-files.ts";
import { isResolved } from "../session/tool-call.ts";
import { decodeEvent } from "../session/upcast.ts";
import type { RunWish } from "./definitions.ts";
import type { Draft } from "./draft.ts";
import { stateAt } from "./load.ts";
import type { SessionAtWork, WaitingInput } from "./session-at-work.ts";
import { takeManifest } from "./transitions.ts";

/** Takes every input that may be taken now into the draft. True when another turn should look again. */
export async function takeInputs(actor: SessionAtWork, draft: Draft): Promise<boolean> {
  let waiting = await actor.readMailbox();
  const announced = draft.empty && waiting.length === 0 ? actor.takeAnnounced() : null;
  if (announced !== null) waiting = [announced];
  for (;;) {
    const open = actor.draining ? waiting.filter((input) => input.lane === "control") : waiting;
    const input = nextInput(draft.state, open);
    if (input === null) return false;
    const begins = draft.state.run === null && beginsRun(input);
    if (begins && !(await actor.slots.take(actor))) return false;
    const fresh = await takeOne(actor, draft, input, waiting);
    waiting = waiting.filter((other) => !draft.taken.includes(other.id));
    // A rewind changes what the draft stands on: it is committed before anything else is taken.
    if (!fresh) return true;
  }
}

function beginsRun(input: WaitingInput): boolean {
  return input.body.type === "user.message" || input.body.type === "run.retry";
}

/** Writes one input's events. False when the draft has to be committed before another input is taken. */
async function takeOne(
  actor: SessionAtWork,
  draft: Draft,
  input: WaitingInput,
  mailbox: readonly WaitingInput[],
): Promise<boolean> {
  const { body } = input;
  const running = draft.state.run !== null;
  const rollsBack = body.type === "user.message" && body.onBusy === "rollback" && running;
  if (body.type === "session.rewind" || rollsBack) {
    // What goes back stands on the log alone: what this draft holds is committed first.
    if (!draft.empty) return false;
    return body.type === "session.rewind"
      ? rewind(actor, draft, input, body.toSeq)
      : rollback(actor, draft, input);
  }
  // Whether the input can be taken is known before anything is ended for it.
  const plan = beginsRun(input) ? await planOf(actor, draft, input) : noPlan;
  if ("refused" in plan) {
    draft.add([{ ...refuse(input, plan.code, plan.refused, input.runId ?? undefined), actor: input.actor }]);
    draft.taken.push(input.id);
    return true;
  }
  let manifest: string | null = null;
  if (running && endsRun(draft, input)) {
    await actor.effects.abortAll();
    manifest = await takeManifest(actor, draft, "interrupted");
  }
  const isFile = body.type === "file.write" || body.type === "file.delete" || body.type === "file.move";
  const mayBeDone = !actor.recovered;
  const fileError = isFile ? await actor.workspace.apply(body, draft.state, { mayBeDone }) : null;
  if (isFile) draft.add(actor.sandboxUse.take());
  const { events, taken } = decideInput(draft.state, input, {
    now: actor.context.clock.now(),
    plan,
    mailbox,
    partials: actor.live.partials(),
    ...(manifest !== null && { manifest }),
    ...(body.type === "user.approval" && body.decision === "edit" && { editedHash: hashJson(body.input) }),
    ...(fileError !== null && { fileError }),
  });
  draft.add(events);
  draft.taken.push(...taken);
  return true;
}

function endsRun(draft: Draft, input: WaitingInput): boolean {
  const { body } = input;
  if (body.type === "session.archive") return body.archived;
  if (body.type === "user.message") return input.lane === "control";
  return body.type === "user.interrupt" && (body.runId === undefined || body.runId === draft.state.run?.id);
}

const noPlan: RunPlan = {
  agent: { id: "", version: 0, name: "" },
  model: "",
  limits: { maxSteps: 0, maxDurationMs: 0, maxTokens: 0, maxDepth: 0 },
};

async function planOf(
  actor: SessionAtWork,
  draft: Draft,
  input: WaitingInput,
): Promise<RunPlan | { refused: string; code: string }> {
  const { body, traceparent } = input;
  const wish: RunWish = body.type === "run.retry" ? body : {};
  try {
    return await actor.definitions.plan(actor.held.orgId, draft.state, {
      ...(wish.model !== undefined && { model: wish.model }),
      ...(wish.limits !== undefined && { limits: wish.limits }),
      ...(traceparent !== null && { traceparent }),
    });
  } catch (thrown) {
    const { code, message, retryable } = asBerthError(thrown);
    if (retryable) throw thrown;
    return { refused: message, code };
  }
}

async function rewind(
  actor: SessionAtWork,
  draft: Draft,
  input: WaitingInput,
  toSeq: number,
): Promise<boolean> {
  const target = await stateAt(actor.context, actor.held, toSeq);
  const context = await rewindContext(actor, target, toSeq);
  if (target !== null && isSafePoint(toSeq, draft.state, context)) {
    const failure = await goBack(actor, target);
    if (failure !== null) return refuseRestore(draft, input, failure, String(toSeq));
  }
  const { events, taken } = decideRewind(draft.state, input, ended(actor, context));
  draft.add(events, target ?? undefined);
  draft.taken.push(...taken);
  return false;
}

async function rollback(actor: SessionAtWork, draft: Draft, input: WaitingInput): Promise<boolean> {
  const { body } = input;
  const { run } = draft.state;
  if (run === null || body.type !== "user.message") return true;
  const toSeq = run.firstSeq - 1;
  const target = await stateAt(actor.context, actor.held, toSeq);
  const plan = await planOf(actor, draft, input);
  if (target === null || "refused" in plan) {
    const message = "refused" in plan ? plan.refused : "There is nothing before this run to roll back to.";
    draft.add([
      { ...refuse(input, "not_a_safe_point", message, input.runId ?? undefined), actor: input.actor },
    ]);
    draft.taken.push(input.id);
    return true;
  }
  const context = await rewindContext(actor, target, toSeq);
  const failure = await goBack(actor, target);
  if (failure !== null) return refuseRestore(draft, input, failure, input.runId ?? undefined);
  const { events, taken } = decideRollback(
    draft.state,
    { ...input, content: body.content },
    { ...ended(actor, context), plan },
  );
  draft.add(events, target);
  draft.taken.push(...taken);
  return false;
}

/** With all that was shown of unfinished texts: more came until the model's call had ended. */
function ended(actor: SessionAtWork, context: RewindContext): RewindContext {
  return { ...context, partials: actor.live.partials() };
}

/**
 * Ends what is under way, background processes included, and makes the workspace what it was. Done before the commit: a crash in between
 * repeats it. When it cannot be done: why. What is missing in the store is found before anything is ended.
 */
async function goBack(
  actor: SessionAtWork,
  target: NonNullable<RewindContext["target"]>,
): Promise<string | null> {
  const { effects, workspace, context } = actor;
  const restores = filesBackAt(target) !== "left";
  try {
    if (restores) await workspace.assertRestorable(target);
    await effects.abortAll();
    if (restores) await workspace.restore(target);
    else await workspace.release();
    return null;
  } catch (thrown) {
    // The server stops: the next holder takes the input.
    if (thrown instanceof BerthError && thrown.code === "sandbox_gone") throw thrown;
    const { orgId, sessionId } = actor.held;
    context.telemetry.unexpectedError({ where: "restore", error: thrown, orgId, sessionId });
    const why = thrown instanceof BerthError ? thrown.message : "Something went wrong on the server.";
    return `The files of that time could not be put back, so the session was not taken back. ${why}`;
  }
}

/** Refuses what would have taken the session back; a run that goes on goes on. */
function refuseRestore(draft: Draft, input: WaitingInput, message: string, target?: string): true {
  draft.add([{ ...refuse(input, "restore_failed", message, target), actor: input.actor }]);
  draft.taken.push(input.id);
  return true;
}

async function rewindContext(
  actor: SessionAtWork,
  target: RewindContext["target"],
  toSeq: number,
): Promise<RewindContext> {
  return {
    now: actor.context.clock.now(),
    partials: actor.live.partials(),
    target,
    rewinds: actor.rewinds,
    outsideEffects: await outsideEffects(actor, toSeq),
  };
}

/** Calls after a seq that were run and whose effects a restored workspace does not undo. */
async function outsideEffects(actor: SessionAtWork, toSeq: number): Promise<RewindContext["outsideEffects"]> {
  const { orgId, sessionId } = actor.held;
  const store = actor.context.store.session(orgId, sessionId);
  const found: { toolUseId: string; name: string; seq: number }[] = [];
  for (let after = toSeq; ;) {
    const page = await store.readLog({ after, limit: 500 });
    const last = page?.events.at(-1);
    if (page === null || last === undefined) break;
    for (const stored of page.events) {
      if (stored.type !== "agent.tool_result") continue;
      const event = decodeEvent(stored.json);
      if (event.type !== "agent.tool_result") continue;
      const { toolUseId, name, errorType } = event.data;
      const ran = errorType !== "denied" && errorType !== "validation";
      if (ran && actor.context.tools.get(name)?.reachesOutside)
        found.push({ toolUseId, name, seq: event.seq });
    }
    after = last.seq;
  }
  for (const at of Object.values(actor.state.namespaces)) {
    for (const { toolUseId, name, state } of at.calls) {
      if (isResolved(state) || state !== "executing") continue;
      if (actor.context.tools.get(name)?.reachesOutside)
        found.push({ toolUseId, name, seq: actor.state.seq });
    }
  }
  return found;
}
