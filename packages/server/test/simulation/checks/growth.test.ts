import { expect, it } from "vitest";
import { readHeap } from "./heap.ts";
import { type Sizes, whatGrew } from "./growth.ts";

/** A day in which the crowd of an hour is larger or smaller than that of another, and nothing piles up. */
function day(added: (hour: number) => Sizes = () => ({})): readonly Sizes[] {
  return Array.from({ length: 24 }, (_, hour) => {
    const crowd = hour % 5;
    const sizes: Record<string, number> = {
      "heap bytes": 20_000_000 + crowd * 40_000,
      "in the heap: closure onAbort": 5 + crowd,
      "in the heap: string": 38_000 + crowd * 100,
      "rows of sessions": 40 + crowd,
      "rows of usage_ledger": 100 * hour,
    };
    for (const [name, more] of Object.entries(added(hour))) sizes[name] = (sizes[name] ?? 0) + more;
    return sizes;
  });
}

it("finds nothing where only the crowd and the history change", () => {
  expect(whatGrew(day())).toEqual([]);
});

it.each([
  ["in the heap: closure onAbort", "a listener for each run", 90],
  ["in the heap: string", "a text for each run", 90],
  ["in the heap: object Leaked", "what was not there before", 90],
  ["heap bytes", "half a kilobyte for each run", 90 * 512],
  ["rows of sessions", "rows that stay", 10],
])("finds a growth of %s: %s", (name, _, perHour) => {
  const [found, ...more] = whatGrew(day((hour) => ({ [name]: perHour * hour })));
  expect(found).toMatch(`${name}: `);
  expect(more).toEqual([]);
});

it("counts what is kept, by its name, and not what can be collected", async () => {
  class Leaked {
    readonly what = "kept";
  }
  const kept: Leaked[] = [];
  const countOf = async () => (await readHeap()).counts.get("object Leaked") ?? 0;
  // The prototype bears the name too.
  const before = await countOf();
  for (let more = 0; more < 100; more++) {
    kept.push(new Leaked());
    void new Leaked();
  }
  expect(await countOf()).toBe(before + kept.length);
}, 60_000);
