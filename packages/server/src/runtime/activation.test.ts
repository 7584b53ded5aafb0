import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { Activation } from "./activation.ts";
import type { RuntimeContext } from "./context.ts";

it("leaves nothing at the signal of who waited for room, however often it waits", async () => {
  const activation = new Activation({} as RuntimeContext);
  const { signal } = new AbortController();
  for (let round = 0; round < 3; round++) {
    const waiting = activation.room(activation.changes, signal);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    activation.noteQuiet();
    await waiting;
  }
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});
