import { epochOfAttempt } from "@berth/contract";
import fc from "fast-check";
import { expect, it } from "vitest";
import { firstAttempt } from "./first-attempt.ts";

const epochs = fc.integer({ min: 1, max: 9_000_000 });
const calls = fc.integer({ min: 1, max: 9_999_999 });

it("a call's attempts, its retries too, are below those of the next call and of the next epoch, are exact and tell their epoch", () => {
  fc.assert(
    fc.property(epochs, calls, (epoch, call) => {
      const last = firstAttempt(epoch, call) + 99;
      expect(Number.isSafeInteger(last)).toBe(true);
      expect(last).toBeLessThan(firstAttempt(epoch, call + 1));
      expect(last).toBeLessThan(firstAttempt(epoch + 1, 1));
      expect([epochOfAttempt(firstAttempt(epoch, call)), epochOfAttempt(last)]).toEqual([epoch, epoch]);
    }),
  );
});
