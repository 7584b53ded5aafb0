import type { Usage } from "@berth/contract";

/** Tokens of one call: ten times what the largest contexts hold that a model can be configured with. */
const mostTokens = 1_000_000_000;

/**
 * What a provider says that a call came to, made whole numbers within bounds. Providers of tenants may say anything, and what they
 * say is added to sums of everybody in their organization.
 */
export function plausibleUsage(said: Usage): Usage {
  const inputTokens = within(said.inputTokens, mostTokens);
  const outputTokens = within(said.outputTokens, mostTokens);
  const cacheReadTokens = within(said.cacheReadTokens, inputTokens);
  return {
    inputTokens,
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens: within(said.cacheWriteTokens, inputTokens - cacheReadTokens),
    reasoningTokens: within(said.reasoningTokens, outputTokens),
  };
}

function within(tokens: number, most: number): number {
  return Number.isNaN(tokens) ? 0 : Math.round(Math.min(Math.max(tokens, 0), most));
}
