import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as invariants from "../../test/support/session/invariants.ts";
import { play } from "../../test/support/session/play.ts";
import type { Driver } from "../../test/support/session/driver.ts";
import { fold } from "./fold.ts";

/** Choices of one play; long enough for runs in runs, short enough to shrink. */
const tape = fc.array(fc.noBias(fc.nat()), { minLength: 20, maxLength: 600, size: "max" });
const settings = fc.record({
  // A small window makes contexts be compacted, small limits make runs reach them.
  window: fc.constantFrom(100_000, 600),
  limits: fc.constantFrom({}, { maxSteps: 6, maxDepth: 1 }, { maxTokens: 2_000 }, { maxDurationMs: 60_000 }),
});

/** A play takes 5 to 20 ms. Shrinking a failure stops after the limit and reports the shortest play that it found. */
const effort = { numRuns: 80, interruptAfterTimeLimit: 20_000 };

/** Plays random sessions, with the check after each commit. */
function holds(check: invariants.Check, atEnd: (driver: Driver) => void = () => {}): void {
  const property = fc.property(tape, settings, (numbers, options) => {
    atEnd(play(numbers, { ...options, onCommit: check }));
  });
  fc.assert(property, effort);
}

describe("a session, whatever is sent, answered, refused, rewound or killed", { timeout: 40_000 }, () => {
  it("I1: numbers its events 1, 2, 3, ...", () => holds(invariants.seqHasNoGap));

  it("I3: gives each input that it took exactly one event, and takes each in the end", () =>
    holds(invariants.inputsHaveOneEvent, (driver) => expect(driver.mailbox).toEqual([])));

  it("I3: takes the inputs of a lane in the order of their acceptance", () =>
    holds(invariants.lanesKeepTheirOrder));

  it("lets only control inputs cut a run short, and steering only between two steps", () =>
    holds(invariants.lanesWait));

  it("I4: ends each run exactly once, before the next one begins", () => holds(invariants.runsEndOnce));

  it("I5: gives each tool call exactly one result, before the next step of its agent", () =>
    holds(invariants.callsHaveOneResult));

  it("I6: never starts a call of effect once twice, and seals what a crash cut", () =>
    holds(invariants.onceIsOnce));

  it("I7: runs tools only with the arguments that were approved", () => holds(invariants.onlyApprovedRuns));

  it("I8: folds to the same state from the beginning, from a snapshot and event by event", () =>
    holds(invariants.foldsAgree));

  it("writes only events that are valid by the contract", () => holds(invariants.eventsAreValid));

  it("folds events in any order without throwing", () =>
    holds(
      () => {},
      ({ raw }) => {
        const shuffled = raw.toSorted((a, b) => ((a.seq * 7_919) % 31) - ((b.seq * 7_919) % 31));
        expect(fold(shuffled).seq).toBe(shuffled.at(-1)?.seq);
      },
    ));

  it("waits if and only if nothing can go on", () => holds(invariants.waitingIsNothingElse));

  it("keeps to its limits, and lets only pure calls run side by side", () => holds(invariants.actionsFit));

  it("ends every run in the end, with rows that say so", () =>
    holds(invariants.rowsAgree, (driver) => {
      expect(driver.state.run).toBeNull();
      expect(driver.rows.timers.size).toBe(0);
    }));

  it("counts its size as events are applied", () => holds(invariants.bytesAreCounted));
});
