import { hashJson } from "../lib/canonical-json.ts";
import { newId } from "../lib/id.ts";
import type { Action } from "../session/next-step.ts";
import { contextTokens, forcedCompaction } from "../session/context-window.ts";
import { finishStep, finishSubagent, finishTool } from "../session/decide-step.ts";
import { interruptedCall } from "../session/decide-run.ts";
import { type NamespaceState, root, type ToolCall } from "../session/state.ts";
import { isResolved } from "../session/tool-call.ts";
import { callModel, type ModelOutcome } from "./effects/call-model.ts";
import { compact, maxSummaryTokens, type Summarized } from "./effects/compact.ts";
import type { Draft } from "./draft.ts";
import type { Completion } from "./effects/effects.ts";
import { runTool } from "./effects/run-tool.ts";
import { type Blocking, type Reserve, toNanos } from "../store/budgets.ts";
import type { LedgerEntry } from "../store/usage.ts";
import { messagesOf, systemPrompt } from "./prompt.ts";
import { lostCall } from "./lost-call.ts";
import { reserveOf } from "./reserves.ts";
import type { SessionAtWork } from "./session-at-work.ts";
import { definitionOf, endRun } from "./transitions.ts";

type Effect = Extract<Action, { type: "call_model" | "run_tool" | "compact" }>;

/** True for an action that reaches outside and is wanted until its events are in the log. */
export function isEffect(action: Action): action is Effect {
  return action.type === "call_model" || action.type === "run_tool" || action.type === "compact";
}

const toolPrefix = "tool:";

/** Keys of tool effects. */
export const toolKey = {
  of: (toolUseId: string): string => toolPrefix + toolUseId,
  idOf: (key: string): string | null => (key.startsWith(toolPrefix) ? key.slice(toolPrefix.length) : null),
};

const compactKey = (namespace: string): string => `compact:${namespace}`;

function keyOf(effect: Effect): string {
  if (effect.type === "run_tool") return toolKey.of(effect.toolUseId);
  return effect.type === "call_model" ? `model:${effect.stepId}` : compactKey(effect.namespace);
}

/**
 * Brings what is under way in line with what is wanted: aborts the rest, starts what is missing. Says what is in the way of model calls
 * that were not started for their budgets.
 */
export async function startEffects(
  actor: SessionAtWork,
  wanted: readonly Effect[],
): Promise<readonly Blocking[]> {
  const { effects } = actor;
  const keys = new Set(wanted.flatMap((effect) => [keyOf(effect), compactKey(effect.namespace)]));
  effects.keepOnly(wanted.length === 0 ? new Set() : keys);
  const missing = wanted.filter(
    (effect) => !effects.has(keyOf(effect)) && !effects.has(compactKey(effect.namespace)),
  );
  if (missing.length === 0 || !(await actor.slots.take(actor))) return [];
  await effects.settled();
  const blocking: Blocking[] = [];
  for (const effect of missing) blocking.push(...(await start(actor, effect)));
  return blocking;
}

async function start(actor: SessionAtWork, effect: Effect): Promise<readonly Blocking[]> {
  const at = actor.state.namespaces[effect.namespace];
  if (at === undefined) return [];
  if (effect.type === "compact") return startCompaction(actor, at, effect.plan);
  if (effect.type === "run_tool") {
    if (isAtWork(actor)) startTool(actor, at, effect.toolUseId);
    return [];
  }
  const { stepId } = effect;
  const tooLong = actor.tooLong.has(stepId) && !actor.forced.has(stepId);
  if (tooLong) {
    const plan = forcedCompaction(at, actor.agents.windowOf(at));
    // Within what is set aside for the step, which would be in its way: the step's call is not under way.
    const reserve = await summaryReserve(actor, at, plan);
    if (reserve !== null) actor.calls.begun([reserve], []);
    compactContext(actor, at, { plan, reserve });
    actor.forced.add(stepId);
    return [];
  }
  // Another holder began the step, and what it had reserved went with it.
  if (!actor.calls.has(stepId)) {
    const reserve = await reserveOf(actor, actor.state, at, { call: stepId, kind: "model" });
    const blocking = await actor.reserve(reserve);
    if (blocking.length > 0) return blocking;
  }
  if (isAtWork(actor)) startModel(actor, at, stepId);
  return [];
}

/**
 * Asked right before each start. Throws `lease_lost`; false when the actor ended while its turn waited for something, which took its slot:
 * nothing of it begins any more, also when its worker has a lease again.
 */
function isAtWork(actor: SessionAtWork): boolean {
  actor.heartbeat.assertFresh();
  return actor.slots.has(actor);
}

function startTool(actor: SessionAtWork, at: NamespaceState, toolUseId: string): void {
  const call = at.calls.find((one) => one.toolUseId === toolUseId);
  const run = actor.state.run;
  if (call === undefined || run === null) return;
  if (call.effect === "once" && !mayBegin(actor, at.name, call)) return;
  const { context, held, live, sandboxUse } = actor;
  actor.effects.start(toolKey.of(toolUseId), async (signal): Promise<Completion> => {
    const finished = await runTool({
      context,
      live,
      orgId: held.orgId,
      owner: actor.state.owner,
      sessionId: held.sessionId,
      runId: run.id,
      namespace: at.name,
      agent: at.agent,
      call,
      signal,
      sandbox: (ends) => sandboxUse.sandbox(actor.state, ends),
      files: () => sandboxUse.files(actor.state),
      todos: () => actor.state.todos,
    });
    return (draft) => {
      draft.add(sandboxUse.take());
      const open = draft.state.namespaces[at.name]?.calls.find((one) => one.toolUseId === toolUseId);
      if (open === undefined || isResolved(open.state)) return;
      const done = { ...finished.done, ...editedNote(at, toolUseId, call.inputHash, finished.done.note) };
      draft.add([
        ...finished.events.map((event) => ({ ...event, namespace: at.name })),
        finishTool(at.name, call, done),
      ]);
    };
  });
}

/** True the first time in this holder; a call that was begun and lost its effect is sealed, as after a crash (I6). */
function mayBegin(actor: SessionAtWork, namespace: string, call: ToolCall): boolean {
  if (!actor.begun.has(call.toolUseId)) {
    actor.begun.add(call.toolUseId);
    return true;
  }
  actor.effects.complete((draft) => {
    const open = draft.state.namespaces[namespace]?.calls.find((one) => one.toolUseId === call.toolUseId);
    if (open !== undefined && !isResolved(open.state)) draft.add([interruptedCall(namespace, open)]);
  });
  return false;
}

/** Tells the model when a person changed the arguments that it had written. */
function editedNote(
  at: NamespaceState,
  toolUseId: string,
  inputHash: string,
  note: string | undefined,
): { note?: string } {
  for (const item of at.items) {
    if (item.kind !== "tool_use" || item.toolUseId !== toolUseId) continue;
    if (hashJson(item.input) === inputHash) return {};
    const edited = "A person changed the arguments before the tool was run.";
    return { note: note === undefined ? edited : `${note} ${edited}` };
  }
  return {};
}

async function startCompaction(
  actor: SessionAtWork,
  at: NamespaceState,
  plan: ReturnType<typeof forcedCompaction>,
): Promise<readonly Blocking[]> {
  const reserve = await summaryReserve(actor, at, plan);
  const blocking = reserve === null ? [] : await actor.reserve(reserve);
  if (blocking.length === 0) compactContext(actor, at, { plan, reserve });
  return blocking;
}

function compactContext(
  actor: SessionAtWork,
  at: NamespaceState,
  { plan, reserve }: { readonly plan: ReturnType<typeof forcedCompaction>; readonly reserve: Reserve | null },
): void {
  if (!isAtWork(actor)) return;
  const { context, held } = actor;
  const runId = actor.state.run?.id;
  actor.effects.start(compactKey(at.name), async (signal): Promise<Completion> => {
    const job = { models: actor.models, blobs: context.blobs, orgId: held.orgId, at, signal };
    const { event, spent } = plan === null ? nothingDone : await compact({ ...job, plan });
    return (draft) => {
      // Its run ended while it finished: counted as lost with that end, and maybe rewound since.
      if (draft.state.run?.id !== runId) return;
      if (reserve !== null) draft.settles.push(summaryCall(reserve, spent, context.clock.now()));
      const now = draft.state.namespaces[at.name];
      if (now === undefined) return;
      if (event === null) actor.agents.noteIncompressible(now);
      else draft.add([event]);
    };
  });
}

const nothingDone = { event: null, spent: null };

/** What a plan sets aside for its summary; null when it makes none. */
async function summaryReserve(
  actor: SessionAtWork,
  at: NamespaceState,
  plan: ReturnType<typeof forcedCompaction>,
): Promise<Reserve | null> {
  if (plan?.method !== "summary") return null;
  const call = newId("step", actor.context.clock.now());
  return reserveOf(actor, actor.state, at, { call, kind: "compaction", maxOutputTokens: maxSummaryTokens });
}

/** The ledger's row of a summary; one whose usage nobody told counts as what was reserved. */
function summaryCall(reserve: Reserve, spent: Summarized | null, now: number): LedgerEntry {
  const lost = lostCall(reserve, now);
  if (spent === null) return lost;
  return { ...lost, usage: spent.usage, cost: toNanos(spent.cost), ok: spent.ok, estimated: false };
}

function startModel(actor: SessionAtWork, at: NamespaceState, stepId: string): void {
  const run = actor.state.run;
  if (run === null) return;
  actor.effects.start(`model:${stepId}`, async (signal): Promise<Completion> => {
    const outcome = await askModel(actor, at, { stepId, runId: run.id, signal });
    return (draft) => takeAnswer(actor, draft, at.name, stepId, outcome);
  });
}

async function askModel(
  actor: SessionAtWork,
  at: NamespaceState,
  step: { stepId: string; runId: string; signal: AbortSignal },
): Promise<ModelOutcome> {
  const { context, held, live } = actor;
  const { orgId, sessionId } = held;
  const definition = await definitionOf(actor, at);
  const tools = await actor.agents.toolsOf(actor.state, at);
  const messages = await messagesOf(at, context.blobs, orgId);
  const notes = at.parent === null ? await actor.notes.of(actor.state) : [];
  const request = {
    system: systemPrompt(definition, at, notes),
    messages,
    tools: tools.specs,
    settings: definition.modelSettings,
  };
  const models = [at.model, ...definition.fallbackModels.filter((name) => name !== at.model)];
  return callModel({
    context,
    models: actor.models,
    live,
    tools,
    call: { models, request },
    orgId,
    sessionId,
    runId: step.runId,
    namespace: at.name,
    stepId: step.stepId,
    estimatedTokens: contextTokens(at),
    attempt: actor.nextAttempt(),
    signal: step.signal,
    note: (event) =>
      actor.effects.complete((draft) => {
        if (draft.state.namespaces[at.name]?.step?.id === step.stepId) draft.add([event]);
      }),
  });
}

async function takeAnswer(
  actor: SessionAtWork,
  draft: Draft,
  namespace: string,
  stepId: string,
  outcome: ModelOutcome,
): Promise<void> {
  if (draft.state.namespaces[namespace]?.step?.id !== stepId) return;
  if (outcome.ok) {
    draft.add(finishStep(outcome.step));
    return;
  }
  const { code, message, retryable } = outcome.error;
  if (code === "context_length_exceeded" && !actor.forced.has(stepId)) {
    actor.tooLong.add(stepId);
    return;
  }
  draft.add(finishStep(outcome.step));
  const at = draft.state.namespaces[namespace];
  const error = { code, message, retryable };
  if (at !== undefined && namespace !== root) draft.add(finishSubagent(at, { error }));
  else await endRun(actor, draft, { reason: retryable ? "retries_exhausted" : "error", error });
}
