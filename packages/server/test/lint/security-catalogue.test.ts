// The security page lists every attack of the catalogue. Each row says it is tested, and then some test bears its id, or open.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../../../..");
const page = readFileSync(join(root, "docs/operate/security.md"), "utf8");
const rows = new Map(
  [...page.matchAll(/^\| ([A-Z]{3}-\d\d) \| .+ \| (tested|open[^|]*) \|$/gm)].map(([, id, state]) => [
    id ?? "",
    (state ?? "").trim(),
  ]),
);

const expected = Object.entries({
  API: 5,
  AUT: 9,
  NET: 11,
  AGT: 6,
  DAT: 3,
  AUD: 3,
  SUP: 1,
  SBX: 24,
  SCH: 11,
}).flatMap(([area, count]) =>
  Array.from({ length: count }, (_, index) => `${area}-${String(index + 1).padStart(2, "0")}`),
);

/** Ids that stand at the beginning of a test's name or of a group's. */
function testedIds(): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const folder of ["packages/server/src", "packages/server/test"]) {
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
      if (!/\.(test|conformance)\.ts$/.test(file)) continue;
      const text = readFileSync(join(root, folder, file), "utf8");
      for (const [, names] of text.matchAll(
        /(?:it|describe)(?:\.each\([\s\S]*?\))?\(\s*["'`]((?:[A-Z]{3}-\d\d(?:, | and |:? ))+)/g,
      )) {
        for (const [id] of (names ?? "").matchAll(/[A-Z]{3}-\d\d/g)) ids.add(id);
      }
    }
  }
  return ids;
}

describe("the attack catalogue of docs/operate/security.md", () => {
  it("has every row, once", () => {
    expect([...rows.keys()]).toEqual(expected.filter((id) => rows.has(id)));
    expect(expected.filter((id) => !rows.has(id))).toEqual([]);
  });

  it("says of a row that it is tested exactly when a test bears its id", () => {
    const ids = testedIds();
    const tested = [...rows].filter(([, state]) => state === "tested").map(([id]) => id);
    expect(tested.filter((id) => !ids.has(id))).toEqual([]);
    expect(tested.length).toBeGreaterThan(30);
  });
});
