import { contextTokens } from "../session/context-window.ts";
import { textTokens } from "../session/size.ts";
import { payersOf } from "../session/spending.ts";
import { noUsage, type NamespaceState, type SessionState } from "../session/state.ts";
import { type CallKind, type Reserve, toNanos } from "../store/budgets.ts";
import { systemPrompt } from "./prompt.ts";
import type { SessionAtWork } from "./session-at-work.ts";

/** Output tokens that are reserved for a model of which no limit is known. */
const unknownOutput = 8_192;

interface Call {
  readonly call: string;
  readonly kind: CallKind;
  /** What a compaction asks for at most. */
  readonly maxOutputTokens?: number;
}

/**
 * The most that a namespace's next model call may come to: its whole context, as much output as its settings and models allow, at the
 * highest price among the models that may be called.
 */
export async function reserveOf(
  actor: SessionAtWork,
  state: SessionState,
  at: NamespaceState,
  { call, kind, maxOutputTokens }: Call,
): Promise<Reserve> {
  const { modelSettings, fallbackModels } = await actor.definitions.get(actor.held.orgId, at.agent);
  const models = kind === "model" ? [at.model, ...fallbackModels] : [at.model];
  const known = models.map((name) => actor.models.info(name)?.maxOutputTokens ?? unknownOutput);
  const outputTokens = Math.min(
    maxOutputTokens ?? modelSettings.maxOutputTokens ?? Number.POSITIVE_INFINITY,
    Math.max(...known),
  );
  const inputTokens = contextTokens(at) + (await unseenTokens(actor, state, at));
  const usage = { ...noUsage, inputTokens, outputTokens };
  const costs = models.map((name) => actor.models.cost(name, usage));
  const cost = costs.includes(null) ? null : Math.max(...costs.map((one) => one ?? 0));
  const reserve = { call, kind, at: actor.context.clock.now(), model: at.model, inputTokens, outputTokens };
  return { ...reserve, cost: toNanos(cost), ...payersOf(state, at) };
}

/** Before a provider has counted a context, its estimate holds only the conversation. */
async function unseenTokens(actor: SessionAtWork, state: SessionState, at: NamespaceState): Promise<number> {
  if (at.tokens.reported > 0) return 0;
  const definition = await actor.definitions.get(actor.held.orgId, at.agent);
  const notes = at.parent === null ? await actor.notes.of(state) : [];
  const { tokens } = await actor.agents.toolsOf(state, at);
  return textTokens(systemPrompt(definition, at, notes)) + tokens;
}
