import { BerthError } from "../lib/errors.ts";
import { failpoint } from "../lib/failpoint.ts";
import { finishRun, recover } from "../session/decide-run.ts";
import { nextInput, refuse } from "../session/decide-input.ts";
import { nextStep, type Policy } from "../session/next-step.ts";
import type { InputRecord } from "../store/records.ts";
import type { Blocking } from "../store/budgets.ts";
import { Draft } from "./draft.ts";
import { takeInputs } from "./inputs.ts";
import { isBusy, meetBudget, tellOverruns } from "./meet-budget.ts";
import type { SessionAtWork } from "./session-at-work.ts";
import { isEffect, startEffects, toolKey } from "./start-effects.ts";
import { isTransition, transit } from "./transitions.ts";

/**
 * One turn of a session: take in what effects finished and what the mailbox brought, follow the graph until only effects or waiting are
 * left, commit it all at once, start the effects. True when another turn is due at once.
 */
export async function takeTurn(actor: SessionAtWork): Promise<boolean> {
  const hadSlot = actor.slots.has(actor);
  const draft = beginDraft(actor);
  for (const completion of actor.effects.take()) await completion(draft);
  tellOverruns(actor, draft);
  const more = await takeInputs(actor, draft);
  const held = await meetBudget(actor, draft, actor.calls.blocking.splice(0));
  const heldBack = await goOn(actor, draft, held ? 0 : Number.POSITIVE_INFINITY);
  const actions = actor.state.run === null ? [] : nextStep(actor.state, policyOf(actor));
  const blocking = await startEffects(actor, actions.filter(isEffect));
  if (!isBusy(blocking)) actor.calls.blocking.push(...blocking);
  const waitsForRoom = heldBack || blocking.length > 0;
  if (isIdle(actor, waitsForRoom)) actor.slots.free(actor, hadSlot);
  if (actor.calls.blocking.length > 0 && actor.effects.size === 0) return true;
  if (waitsForRoom) actor.room.wait(actor.held.orgId, actor);
  return more || (draft.before.run !== null && actor.state.run === null && actor.mailbox.length > 0);
}

/** Nothing of it needs a slot: no run, one that only waits, or one that waits for room in a budget with nothing under way. */
function isIdle({ state, effects }: SessionAtWork, waitsForRoom: boolean): boolean {
  if (state.run === null || state.run.waitingSince !== null) return true;
  return waitsForRoom && effects.size === 0;
}

/**
 * Follows the graph and commits. Model calls that a budget is in the way of are taken back with all that was decided beside them, and what
 * follows from that is decided instead: fewer calls at once, none, or the run's wait or end. True when a call was held back.
 */
async function goOn(actor: SessionAtWork, draft: Draft, mayBegin: number): Promise<boolean> {
  const decided = draft.mark();
  let room = mayBegin;
  for (;;) {
    await followGraph(actor, draft, room);
    if (draft.empty) return room === 0;
    const blocking = await commit(actor, draft);
    if (blocking === null) {
      actor.recovered = true;
      return room < Number.POSITIVE_INFINITY;
    }
    const tried = draft.reserves.length;
    draft.back(decided);
    const hold = await meetBudget(actor, draft, blocking);
    // Two calls at once may be in each other's way.
    room = hold ? (tried > 1 ? 1 : 0) : Number.POSITIVE_INFINITY;
  }
}

/**
 * Until a new holder has written something, its drafts begin with what the one before left in its middle: sealed, or going on. That a
 * run only goes on is told with the first event that it leads to: a run that kills its worker before that shows no progress.
 */
function beginDraft(actor: SessionAtWork): Draft {
  const now = actor.context.clock.now();
  if (actor.recovered) return new Draft(actor.state, now);
  const events = recover(actor.state, actor.held.epoch);
  const goesOn = events.length === 1;
  const draft = new Draft(actor.state, now, goesOn ? events : []);
  if (!goesOn) draft.add(events);
  if (actor.poisoned) stopPoisoned(actor, draft);
  return draft;
}

function stopPoisoned(actor: SessionAtWork, draft: Draft): void {
  // A run that only waits does nothing that could end a worker.
  if (draft.state.run === null || draft.state.run.waitingSince !== null) return;
  const message = "The session's worker ended three times without getting on, so the run was stopped.";
  const error = { code: "quarantined", message, retryable: false };
  const { clock } = actor.context;
  draft.add(finishRun(draft.state, { reason: "quarantined", error, now: clock.now() }));
}

/** Inputs whose taking does work that can end a worker: a run, files. The others only write events, and nobody could send a timer again. */
const working: ReadonlySet<InputRecord["body"]["type"]> = new Set([
  "user.message",
  "run.retry",
  "session.rewind",
  "session.archive",
  "file.write",
  "file.delete",
  "file.move",
]);

/** Refuses the input that a poisoned session would take first, when it is not a run at work that kills the workers. */
export async function refusePoison(actor: SessionAtWork): Promise<void> {
  const { run } = actor.state;
  if (!actor.poisoned || (run !== null && run.waitingSince === null)) return;
  const first = nextInput(actor.state, await actor.readMailbox());
  if (first === null || !working.has(first.body.type)) return;
  const draft = new Draft(actor.state, actor.context.clock.now());
  const message = "The server ended three times when it took this input, so it was put aside.";
  draft.add([{ ...refuse(first, "quarantined", message, first.runId ?? undefined), actor: first.actor }]);
  draft.taken.push(first.id);
  actor.recovered = true;
  await actor.commit(draft);
}

async function commit(actor: SessionAtWork, draft: Draft): Promise<readonly Blocking[] | null> {
  const types = new Set(draft.events.map((event) => event.type));
  try {
    const blocking = await actor.commit(draft);
    if (blocking !== null) return blocking;
  } catch (error) {
    if (!(error instanceof BerthError) || error.code !== "event_too_large") throw error;
    await giveUp(actor, error);
  }
  if (draft.taken.length > 0) failpoint("runtime.input-taken");
  if (types.has("approval.requested")) failpoint("runtime.approval-requested");
  if (types.has("subagent.started")) failpoint("runtime.subagent-started");
  if (types.has("context.compacted")) failpoint("runtime.compacted");
  if (types.has("session.resumed")) failpoint("runtime.recovered");
  if (types.has("run.finished")) failpoint("runtime.run-finished");
  return null;
}

/** A step that the log cannot take ends its run, with the reason; the inputs of the failed draft stay in the mailbox. */
async function giveUp(actor: SessionAtWork, error: BerthError): Promise<void> {
  const draft = new Draft(actor.state, actor.context.clock.now());
  await actor.effects.abortAll();
  const { code, message } = error;
  draft.add(
    finishRun(draft.state, {
      reason: "error",
      error: { code, message, retryable: false },
      now: actor.context.clock.now(),
    }),
  );
  if (draft.empty) throw error;
  await actor.commit(draft);
}

/** Writes transitions until nothing but effects, waiting or inputs is next. */
async function followGraph(actor: SessionAtWork, draft: Draft, mayBegin: number): Promise<void> {
  const before = draft.reserves.length;
  for (;;) {
    if (draft.state.run === null) return;
    const left = mayBegin - (draft.reserves.length - before);
    const transitions = nextStep(draft.state, policyOf(actor, left)).filter(isTransition);
    if (transitions.length === 0) return;
    for (const transition of transitions) await transit(actor, draft, transition);
  }
}

function policyOf(actor: SessionAtWork, mayBegin = 0): Policy {
  const { context, effects } = actor;
  const inFlight = new Set(effects.keys().flatMap((key) => toolKey.idOf(key) ?? []));
  return {
    now: context.clock.now(),
    contextWindow: (at) => actor.agents.windowOf(at),
    inFlight,
    mayBegin,
  };
}
