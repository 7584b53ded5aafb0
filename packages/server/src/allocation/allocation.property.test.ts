import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { type AllocationRig, openRig } from "../../test/support/sandbox/allocation-rig.ts";
import { AllocationWorld, step } from "../../test/support/sandbox/allocation-world.ts";

describe("allocation, whatever happens", () => {
  let rig: AllocationRig;
  beforeAll(() => {
    rig = openRig({ hosts: ["one", "two"] });
  });
  afterAll(() => rig.close());

  it("SCH-03 SCH-04: claims once, exceeds no quota, takes no busy or foreign one, and leaves nothing after a crash anywhere; files are in one place, whatever becomes of hosts", async () => {
    const trace = fc.array(step, { minLength: 3, maxLength: 25 });
    const property = fc.asyncProperty(trace, async (steps) => {
      const world = new AllocationWorld(rig);
      rig.provider.endedBusy.length = 0;
      await world.open();
      for (const one of steps) {
        await world.do(one);
        await world.check();
      }
      await world.settle();
      await world.end();
    });
    await fc.assert(property, { numRuns: 150, interruptAfterTimeLimit: 45_000 });
  }, 120_000);
});
