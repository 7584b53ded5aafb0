import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { Tape } from "../../../test/support/session/tape.ts";
import { Play } from "../../../test/support/store/budget-play.ts";
import { openSqliteStore, type SqliteStore } from "./sqlite-store.ts";

let dataDir = "";
let store: SqliteStore;
const clock = createManualClock();
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "berth-budgets-"));
  store = await openSqliteStore({ dataDir, clock });
});
afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

/** An organization of its own in the one store. */
const playOf = (numbers: readonly number[]) =>
  new Play({ store, clock, close: async () => undefined }, new Tape(numbers));

const often = <T>(count: number, one: T): readonly T[] => Array.from({ length: count }, () => one);
const calls = [
  ...often(6, (play: Play) => play.begin()),
  ...often(4, (play: Play) => play.end()),
  (play: Play) => play.crash(),
];
const changes = [
  ...often(2, (play: Play) => play.addBudget()),
  (play: Play) => play.changeBudget(),
  (play: Play) => play.removeBudget(),
  (play: Play) => play.wait(),
];

const tape = fc.array(fc.noBias(fc.nat()), { minLength: 30, maxLength: 250, size: "max" });
const effort = { numRuns: 40, interruptAfterTimeLimit: 30_000 };

describe("budgets, whatever begins, ends, dies or is changed", { timeout: 60_000 }, () => {
  it("I15: count what the ledger holds and what is under way, and let a call through if anything is left", () =>
    fc.assert(
      fc.asyncProperty(tape, (numbers) => playOf(numbers).run([...calls, ...changes])),
      effort,
    ));

  it("I15: are exceeded by at most one call's reserve", () =>
    fc.assert(
      fc.asyncProperty(tape, async (numbers) => {
        const play = playOf(numbers);
        await play.open();
        for (let i = 0; i < 3; i++) await play.addBudget();
        await play.run([
          ...calls,
          async () => {
            const { budgets, largest } = play.model;
            for (const one of budgets.filter(({ onLimit }) => onLimit !== "warn"))
              expect(play.model.spent(one, clock.now())).toBeLessThanOrEqual(one.amount + largest[one.unit]);
          },
        ]);
      }),
      effort,
    ));
});
