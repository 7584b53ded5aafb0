import type { ModelRequest } from "../model.ts";
import type { WireMessage } from "./messages.ts";

export type Effort = "low" | "medium" | "high";

export interface ThinkingFields {
  readonly thinking?: Readonly<Record<string, unknown>>;
  readonly output_config?: { readonly effort: Effort };
}

const budgets: Readonly<Record<Effort, number>> = { low: 4_096, medium: 16_384, high: 32_768 };
const smallestBudget = 1_024;

/**
 * Claude 4.6 and later decide themselves how long to think and take an effort; 4.7 and later refuse a budget. Earlier ones,
 * and other makers' models behind this API, know only the budget.
 * Source: platform.claude.com/docs, "Adaptive thinking", read 2026-11-21.
 */
export function thinksAdaptively(model: string): boolean {
  const version = /claude-[a-z]+-(\d{1,2})(?:-(\d{1,2}))?(?!\d)/.exec(model);
  if (version === null) return /claude-(mythos|fable)/.test(model);
  const major = Number(version[1]);
  return major > 4 || (major === 4 && Number(version[2] ?? 0) >= 6);
}

/** The thinking part of a request. `maxTokens` holds thinking and answer together. */
export function thinkingFields(
  request: ModelRequest,
  messages: readonly WireMessage[],
  maxTokens: number,
): ThinkingFields {
  const { reasoning } = request.settings;
  if (reasoning === undefined) return {};
  const adaptive = thinksAdaptively(request.model);
  if (reasoning === "none") return adaptive ? { thinking: { type: "disabled" } } : {};
  if (adaptive)
    return { thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: reasoning } };
  const budget = Math.min(budgets[reasoning], maxTokens - smallestBudget);
  if (budget < smallestBudget || inUnthoughtTurn(messages)) return {};
  return { thinking: { type: "enabled", budget_tokens: budget } };
}

/**
 * With a budget, an assistant message that calls tools must begin with its thinking. Where another model made the calls
 * there is none to send, and the turn has to end without.
 */
function inUnthoughtTurn(messages: readonly WireMessage[]): boolean {
  const answersTools = messages.at(-1)?.content.some((block) => block.type === "tool_result") ?? false;
  const first = messages.findLast((message) => message.role === "assistant")?.content[0];
  return answersTools && first?.type !== "thinking" && first?.type !== "redacted_thinking";
}
