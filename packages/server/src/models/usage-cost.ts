import type { ModelInfo, Usage } from "@berth/contract";

/** US dollars of one call. Prices of tenants are what they write, and a dearer call is a mistake. */
const mostDollars = 1_000_000;

/**
 * US dollars of a usage, null without a price. `inputTokens` is the whole input; what was read from and written to the cache
 * is part of it and has prices of its own. `outputTokens` holds the reasoning.
 */
export function costOf(price: ModelInfo["price"], usage: Usage): number | null {
  if (price === null) return null;
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
  const fresh = Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens);
  const dollars =
    fresh * price.input +
    cacheReadTokens * price.cacheRead +
    cacheWriteTokens * price.cacheWrite +
    outputTokens * price.output;
  return Math.min(dollars / 1_000_000, mostDollars);
}
