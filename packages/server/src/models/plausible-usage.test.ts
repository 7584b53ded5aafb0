import { describe, expect, it } from "vitest";
import { plausibleUsage } from "./plausible-usage.ts";
import { costOf } from "./usage-cost.ts";

const usage = (change: Partial<Parameters<typeof plausibleUsage>[0]>) => ({
  inputTokens: 10,
  outputTokens: 5,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  ...change,
});

describe("what a provider says that a call came to", () => {
  it("is believed when it can be true", () => {
    const said = usage({ cacheReadTokens: 6, cacheWriteTokens: 4, reasoningTokens: 5 });
    expect(plausibleUsage(said)).toEqual(said);
  });

  it("is never less than nothing, no number, or more than any model has", () => {
    for (const wrong of [Number.NaN, -5, Number.NEGATIVE_INFINITY]) {
      expect(plausibleUsage(usage({ inputTokens: wrong, outputTokens: wrong }))).toEqual(
        usage({ inputTokens: 0, outputTokens: 0 }),
      );
    }
    for (const huge of [1e15, 9e18, 1e300, Number.POSITIVE_INFINITY]) {
      const { inputTokens, outputTokens } = plausibleUsage(usage({ inputTokens: huge, outputTokens: huge }));
      expect([inputTokens, outputTokens]).toEqual([1e9, 1e9]);
    }
    expect(plausibleUsage(usage({ inputTokens: 1.4 })).inputTokens).toBe(1);
  });

  it("has no more in the cache than it has input, and thinks no more than it writes", () => {
    const said = usage({ cacheReadTokens: 1e9, cacheWriteTokens: 1e9, reasoningTokens: 1e9 });
    expect(plausibleUsage(said)).toEqual(usage({ cacheReadTokens: 10, reasoningTokens: 5 }));
  });

  it("costs no more than a million dollars, whatever price a tenant writes", () => {
    const dear = { input: 1_000_000, output: 1_000_000, cacheRead: 1_000_000, cacheWrite: 1_000_000 };
    expect(costOf(dear, usage({ inputTokens: 1e9, outputTokens: 1e9 }))).toBe(1_000_000);
    expect(costOf(dear, usage({}))).toBe(15);
  });
});
