import { expect, it } from "vitest";
import { createInProcessQueue } from "../coordination/in-process/queue.ts";
import { BerthError } from "../lib/errors.ts";
import { silentTelemetry } from "../telemetry/telemetry.ts";
import type { Activation } from "./activation.ts";
import { Intake, type IntakeOptions } from "./intake.ts";
import type { RunSlots } from "./run-slots.ts";

it("goes on taking work when the store could not take a session back to make room", async () => {
  const told: string[] = [];
  const claimed: string[] = [];
  const queue = createInProcessQueue();
  let failures = 1;
  const activation = {
    get: () => null,
    changes: 0,
    room: async () => {},
    noteQuiet: () => {},
    async makeRoom() {
      if (failures-- > 0) throw new BerthError("disk_full", "The disk is full.", { retryable: true });
      return true;
    },
  } as unknown as Activation;
  const slots = {
    orgsInLine: () => [],
    waiting: () => 0,
    room: () => 1,
    load: () => 0,
  } as unknown as RunSlots;
  const options: IntakeOptions = {
    context: {
      queue,
      telemetry: { ...silentTelemetry(), unexpectedError: ({ where }) => void told.push(where) },
    },
    activation,
    slots,
    claim: async ({ sessionId }) => void claimed.push(sessionId) === undefined,
    adrift: new Map(),
  };
  const intake = new Intake(options);
  intake.start();
  await queue.push({ orgId: "o", sessionId: "one" });
  await queue.push({ orgId: "o", sessionId: "two" });
  await expect.poll(() => claimed).toEqual(["one", "two"]);
  expect(told).toEqual(["room"]);
  await intake.stop();
  await queue.close();
});
