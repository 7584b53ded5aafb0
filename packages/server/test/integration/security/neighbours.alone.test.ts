// Compares times with those of a quiet machine, so nothing else of the tests runs beside it.
import { afterAll, beforeAll, expect, it } from "vitest";
import { judge } from "../../attack/judge.ts";
import { rows } from "../../attack/rows/all.ts";
import type { Target } from "../../attack/target.ts";
import { openBubblewrap } from "../../attack/targets.ts";

let target: Target;
beforeAll(async () => {
  target = await openBubblewrap("multi");
});
afterAll(() => target.close());

it("leaves 20 neighbours, whatever a hostile sandbox does at once, their commands within twice the time", async () => {
  const row = rows.find(({ id }) => id === "20 neighbours");
  if (row === undefined) throw new Error("there is no such attack");
  const { verdict, seen } = await judge(row, target);
  // With what was seen, so that a failure says it.
  expect([verdict, seen]).toEqual(["held", seen]);
}, 180_000);
