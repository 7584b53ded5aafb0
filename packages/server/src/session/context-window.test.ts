import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { call, story, type Story } from "../../test/support/session/story.ts";
import { AppendList } from "../lib/append-list.ts";
import {
  compactItems,
  type CompactionPlan,
  contextTokens,
  forcedCompaction,
  planCompaction,
  stubPlan,
  tokensAfter,
} from "./context-window.ts";
import { itemTokens } from "./size.ts";
import type { ContextItem, NamespaceState } from "./state.ts";

/** The namespace with these items, whose tokens are their estimate unless the provider reported others. */
function withItems(items: readonly ContextItem[], reported?: number): NamespaceState {
  const since = items.reduce((sum, item) => sum + itemTokens(item), 0);
  const tokens = reported === undefined ? { reported: 0, since } : { reported, since: 0 };
  return { ...story().at(), items: AppendList.from(items), tokens };
}

const estimate = (told: Story) => withItems([...told.at().items]);
const kinds = (items: Iterable<ContextItem>) => [...items].map((item) => item.kind);

function apply(at: NamespaceState, plan: CompactionPlan, summary = "s"): NamespaceState {
  const [event] = story().events;
  const data = { ...plan, tokensBefore: 0, tokensAfter: 0, ...(plan.method === "summary" && { summary }) };
  const items = compactItems(at.items, { ...event, type: "context.compacted", data } as never);
  return withItems([...items]);
}

describe("when a context is compacted", () => {
  const at = estimate(story().turn("a".repeat(396)).turn("b".repeat(396)).message("c"));

  it("is above 80 % of the window", () => {
    const tokens = contextTokens(at);
    expect(planCompaction(at, tokens / 0.8)).toBeNull();
    expect(planCompaction(at, tokens / 0.8 - 1)).not.toBeNull();
  });

  it("is whenever the provider said so, as long as anything can be saved", () => {
    expect(forcedCompaction(at, 1_000_000)).not.toBeNull();
    expect(forcedCompaction(withItems([]), 10)).toBeNull();
    expect(forcedCompaction(estimate(story().message("x".repeat(4_000))), 10)).toBeNull();
  });
});

describe("what is kept", () => {
  it("are the newest turns that fit half of the window, whole", () => {
    const told = story().turn("a".repeat(400)).turn("b".repeat(400)).turn("c".repeat(400)).message("d");
    const at = estimate(told);
    expect(forcedCompaction(at, 2 * 220)).toEqual({ method: "summary", keptFromSeq: 14 });
    expect(kinds(apply(at, { method: "summary", keptFromSeq: 14 }).items)).toEqual([
      "summary",
      "user",
      "text",
      "user",
    ]);
  });

  it("is never more than half, whatever the window", () => {
    const told = story().turn("a".repeat(400)).turn("b".repeat(400)).turn("c".repeat(400));
    const { keptFromSeq } = forcedCompaction(estimate(told), 1_000_000) ?? { keptFromSeq: 0 };
    expect(keptFromSeq).toBe(14);
  });

  it("is less when the provider counts more than was estimated", () => {
    const items = [
      ...story().turn("a".repeat(400)).turn("b".repeat(400)).turn("c".repeat(400)).message("d").at().items,
    ];
    const { since } = withItems(items).tokens;
    expect(forcedCompaction(withItems(items, 3 * since), 2 * 220)).toEqual({
      method: "summary",
      keptFromSeq: 20,
    });
  });

  it("are whole messages with their results when the newest turn is too long", () => {
    const told = story().message("go");
    for (let number = 1; number <= 4; number++)
      told.think().answer("look", call(number)).returns(number, "x".repeat(300));
    const at = estimate(told);
    const plan = forcedCompaction(at, 400);
    const kept = apply(at, plan ?? { method: "stub", keptFromSeq: 0 });
    expect(kinds(kept.items)).toEqual([
      "summary",
      "text",
      "tool_use",
      "tool_result",
      "text",
      "tool_use",
      "tool_result",
    ]);
  });

  it("is not the summary of before alone: that would save nothing, and be wanted for ever", () => {
    const summary = { kind: "summary", seq: 1, text: "s".repeat(4_000) } as const;
    const user = { kind: "user", seq: 2, content: "hi" } as const;
    const text = { kind: "text", seq: 3, messageId: "m", text: "hello" } as const;
    expect(forcedCompaction(withItems([summary, user]), 100)).toBeNull();
    expect(forcedCompaction(withItems([summary, user, text]), 100)).toEqual({
      method: "summary",
      keptFromSeq: 3,
    });
  });

  it("is everything but long tool outputs when nothing can be summarized", () => {
    const told = story()
      .message("go")
      .think()
      .answer(call(1), call(2))
      .returns(1, "x".repeat(9_000))
      .returns(2, "y".repeat(9_000));
    const at = estimate(told);
    expect(forcedCompaction(at, 100)).toEqual({ method: "stub", keptFromSeq: told.seq });
    const stubbed = apply(at, { method: "stub", keptFromSeq: told.seq });
    expect(kinds(stubbed.items)).toEqual(kinds(at.items));
    expect([...stubbed.items].at(-1)).toMatchObject({ content: "y".repeat(9_000) });
    expect(stubPlan(stubbed)).toBeNull();
    expect(stubPlan(withItems([]))).toBeNull();
  });
});

describe("any context", () => {
  /** A conversation of turns with messages and calls of any length. */
  const told = fc
    .array(
      fc.record({ text: fc.nat(400), calls: fc.array(fc.nat(600), { maxLength: 3 }), ends: fc.boolean() }),
      { minLength: 1, maxLength: 8 },
    )
    .map((turns) => {
      const one = story().message("begin");
      let number = 0;
      for (const { text, calls, ends } of turns) {
        const first = number + 1;
        one.think().answer("w".repeat(text + 1), ...calls.map(() => call((number += 1))));
        calls.forEach((length, index) => one.returns(first + index, "r".repeat(length)));
        if (ends && calls.length === 0) one.ends().message("next");
        else if (calls.length === 0) one.steer("and");
      }
      return one;
    });
  const openPairs = (items: Iterable<ContextItem>) => {
    const open = new Set<string>();
    for (const item of items) {
      if (item.kind === "tool_use") open.add(item.toolUseId);
      if (item.kind === "tool_result" && !open.delete(item.toolUseId)) return "a result without its call";
    }
    return open.size;
  };

  /** True when no message has items on both sides of the cut. */
  const cutsBetweenMessages = (at: NamespaceState, { method, keptFromSeq }: CompactionPlan) => {
    const dropped = new Set<string>();
    for (const item of at.items) {
      if (method === "stub" || !("messageId" in item)) continue;
      if (item.seq < keptFromSeq) dropped.add(item.messageId);
      else if (dropped.has(item.messageId)) return false;
    }
    return true;
  };

  it("is compacted without splitting a tool pair or a message, until it fits or nothing can be saved", () => {
    fc.assert(
      fc.property(told, fc.integer({ min: 50, max: 2_000 }), fc.nat(300), (one, window, summaryLength) => {
        let at = estimate(one);
        for (let rounds = 0; ; rounds++) {
          expect(rounds).toBeLessThan(60);
          const plan = planCompaction(at, window);
          if (plan === null) break;
          const after = apply(at, plan, "s".repeat(summaryLength * 4));
          const seqs = [...after.items].map((item) => item.seq);
          expect(openPairs(after.items)).toBe(0);
          expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
          expect(cutsBetweenMessages(at, plan)).toBe(true);
          expect(tokensAfter(at, plan, summaryLength + 4)).toBe(contextTokens(after));
          at = after;
        }
      }),
      { numRuns: 200 },
    );
  });
});
