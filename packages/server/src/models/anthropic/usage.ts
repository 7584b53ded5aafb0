import type { Usage } from "@berth/contract";

export interface WireUsage {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly output_tokens_details?: { readonly thinking_tokens?: number | null } | null;
}

/**
 * Takes later counts over earlier ones: `message_start` has the input, `message_delta` the totals so far. Anthropic counts
 * cached input apart; ours is the whole input, with the cached part of it beside.
 */
export function mergeUsage(before: Usage | null, wire: WireUsage | null | undefined): Usage | null {
  if (wire === null || wire === undefined) return before;
  const cacheReadTokens = wire.cache_read_input_tokens ?? before?.cacheReadTokens ?? 0;
  const cacheWriteTokens = wire.cache_creation_input_tokens ?? before?.cacheWriteTokens ?? 0;
  const fresh = before === null ? 0 : before.inputTokens - before.cacheReadTokens - before.cacheWriteTokens;
  return {
    inputTokens: (wire.input_tokens ?? fresh) + cacheReadTokens + cacheWriteTokens,
    outputTokens: wire.output_tokens ?? before?.outputTokens ?? 0,
    cacheReadTokens,
    cacheWriteTokens,
    reasoningTokens: wire.output_tokens_details?.thinking_tokens ?? before?.reasoningTokens ?? 0,
  };
}
