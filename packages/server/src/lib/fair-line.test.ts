import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FairLine } from "./fair-line.ts";

const byText = (a: string | null, b: string | null) => String(a).localeCompare(String(b));

function lineOf(weights: Readonly<Record<string, number>> = {}) {
  const line = new FairLine<string>((group) => weights[group] ?? 1);
  let count = 0;
  return {
    line,
    add: (group: string, lane = "", times = 1) => {
      for (let i = 0; i < times; i++) line.add({ group, lane, key: String(count++) }, `${group}${lane}`);
    },
    takeAll: () => {
      const taken: string[] = [];
      for (let item = line.take(); item !== null; item = line.take()) taken.push(item);
      return taken.join(" ");
    },
  };
}

describe("FairLine", () => {
  it("goes round the groups, whatever one of them has piled up", () => {
    const { add, takeAll } = lineOf();
    add("a", "", 4);
    add("b", "", 2);
    add("c");
    expect(takeAll()).toBe("a b c a b a a");
  });

  it("serves groups as often as their weights say", () => {
    const { add, line } = lineOf({ a: 3 });
    add("a", "", 100);
    add("b", "", 100);
    const taken = Array.from({ length: 80 }, () => line.take());
    expect(taken.filter((item) => item === "a")).toHaveLength(60);
    expect(taken.slice(0, 8).join(" ")).toBe("a b a a b a a a");
  });

  it("lets the lanes of a group take turns, each in the order of arrival", () => {
    const { add, takeAll } = lineOf();
    add("a", "1", 3);
    add("a", "2", 2);
    add("b", "1", 1);
    expect(takeAll()).toBe("a1 b1 a2 a1 a2 a1");
  });

  it("gives nobody an earlier turn for leaving and coming back", () => {
    const { add, line } = lineOf();
    add("a");
    add("b", "", 2);
    expect(line.take()).toBe("a");
    add("a");
    expect([line.take(), line.take(), line.take()]).toEqual(["b", "a", "b"]);
  });

  it("gives nobody turns for having been away", () => {
    const { add, line } = lineOf();
    add("a", "", 50);
    for (let i = 0; i < 40; i++) line.take();
    add("b", "", 10);
    expect([line.take(), line.take(), line.take(), line.take()].toSorted(byText)).toEqual([
      "a",
      "a",
      "b",
      "b",
    ]);
  });

  it("passes over who is not let in, and goes by rank first", () => {
    const { add, line } = lineOf();
    add("a", "", 2);
    add("b", "", 2);
    expect(line.take({ admits: (group) => group === "b" })).toBe("b");
    expect(line.take({ admits: () => false })).toBeNull();
    expect(line.take({ rank: (group) => (group === "b" ? 0 : 1) })).toBe("b");
    expect([line.count("a"), line.count("b"), line.size]).toEqual([2, 0, 2]);
  });

  it("holds each key of a group once, and lets it go", () => {
    const { line } = lineOf();
    const place = { group: "a", lane: "1", key: "k" };
    line.add(place, "first");
    line.add({ ...place, lane: "2" }, "second");
    line.add({ ...place, group: "b" }, "other");
    expect([line.size, line.has(place)]).toEqual([2, true]);
    line.remove(place);
    expect([line.size, line.has(place), line.take(), line.take()]).toEqual([1, false, "other", null]);
  });

  it("never serves a group more often than its weight allows while another waits, whoever comes and goes", () => {
    const groups = ["a", "b", "c"] as const;
    const steps = fc.array(fc.oneof(fc.constantFrom(...groups), fc.constant(null)), { maxLength: 300 });
    const weight = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(steps, fc.tuple(weight, weight, weight), (script, [a, b, c]) => {
        const weights: Readonly<Record<string, number>> = { a, b, c };
        const { add, line } = lineOf(weights);
        // For each group that waits: what the others had since it began to wait.
        const since = new Map<string, Map<string, number>>();
        for (const step of script) {
          if (step !== null) {
            if (line.count(step) === 0) since.set(step, new Map());
            add(step);
            continue;
          }
          const taken = line.take();
          if (taken === null) continue;
          for (const [group, turns] of since) {
            if (group === taken) continue;
            turns.set(taken, (turns.get(taken) ?? 0) + 1);
            const fair = (weights[taken] ?? 1) * (1 / (weights[group] ?? 1)) + 2;
            expect(turns.get(taken)).toBeLessThanOrEqual(Math.ceil(fair));
          }
          if (line.count(taken) === 0) since.delete(taken);
          else since.set(taken, new Map());
        }
        expect(line.size).toBe([...groups].reduce((sum, group) => sum + line.count(group), 0));
      }),
      { numRuns: 300 },
    );
  });
});
