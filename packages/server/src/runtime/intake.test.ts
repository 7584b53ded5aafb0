import { afterEach, describe, expect, it } from "vitest";
import { createInProcessQueue } from "../coordination/in-process/queue.ts";
import { systemClock } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import { silentTelemetry } from "../telemetry/telemetry.ts";
import type { Activation } from "./activation.ts";
import { BudgetRoom } from "./budget-room.ts";
import { Intake } from "./intake.ts";
import type { RunSlots } from "./run-slots.ts";

const queue = createInProcessQueue();
const open: Intake[] = [];
afterEach(async () => {
  for (const intake of open.splice(0)) await intake.stop();
});

/** An intake with room for everything, once `makeRoom` has failed as often as it shall. */
function begin(failures = 0) {
  const told: string[] = [];
  const claimed: string[] = [];
  let left = failures;
  const activation = {
    get: () => null,
    changes: 0,
    room: async () => {},
    all: () => [],
    noteQuiet: () => {},
    async makeRoom() {
      if (left-- > 0) throw new BerthError("disk_full", "The disk is full.", { retryable: true });
      return true;
    },
  };
  const slots = { orgsInLine: () => [], waiting: () => 0, room: () => 1, load: () => 0 };
  const telemetry = {
    ...silentTelemetry(),
    unexpectedError: ({ where }: { where: string }) => void told.push(where),
  };
  const intake = new Intake({
    context: { queue, telemetry, clock: systemClock },
    activation: activation as unknown as Activation,
    slots: slots as unknown as RunSlots,
    budgetRoom: new BudgetRoom(systemClock),
    async claim({ sessionId }) {
      claimed.push(sessionId);
      return true;
    },
    adrift: new Map(),
  });
  intake.start();
  open.push(intake);
  return { intake, told, claimed };
}

describe("the intake of a worker", () => {
  it("goes on when the store could not take a session back to make room", async () => {
    const { told, claimed } = begin(1);
    await queue.push({ orgId: "o", sessionId: "one" });
    await queue.push({ orgId: "o", sessionId: "two" });
    await expect.poll(() => claimed).toEqual(["one", "two"]);
    expect(told).toEqual(["room"]);
  });

  it("takes what only this worker can run, whoever stands first at the queue", async () => {
    const other = begin();
    const { intake, claimed } = begin();
    intake.offer({ orgId: "o", sessionId: "mine" });
    await expect.poll(() => claimed).toEqual(["mine"]);
    expect(other.claimed).toEqual([]);
  });
});
