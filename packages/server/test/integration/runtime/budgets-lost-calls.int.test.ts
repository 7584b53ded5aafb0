import type { SessionEvent } from "@berth/contract";
import { afterEach, describe, expect, it } from "vitest";
import { Worker } from "../../../src/runtime/worker.ts";
import { addBudget, findBudget, ledger } from "../../support/runtime/budgets.ts";
import { Harness } from "../../support/runtime/harness.ts";
import { pricedClient } from "../../support/runtime/priced-client.ts";
import { type Answer, text } from "../../support/runtime/scripted-client.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

async function open(answer: Answer): Promise<Harness> {
  harness = await Harness.open({ answer, overrides: { models: pricedClient(answer) } });
  return harness;
}

const has = (type: SessionEvent["type"]) => (log: readonly SessionEvent[]) =>
  log.some((event) => event.type === type);
/** Each answer of `text` counts 15 tokens. */
const perCall = 15;

describe("a worker that ends in the middle of a call", () => {
  it("leaves no reserve behind: the call counts as what was reserved, and is reserved anew", async () => {
    let started = 0;
    const answer: Answer = (_, signal) => {
      started += 1;
      return started === 1 ? hanging(signal) : text("at last");
    };
    const h = await open(answer);
    const { id } = await addBudget(h, { amount: 10_000 });
    const session = await h.session(await h.agent());
    await h.say(session, "hi");
    await h.until(session, () => started === 1);
    const { reserved } = await findBudget(h, id);
    expect(reserved).toBeGreaterThan(100);
    await h.worker.stop(0);
    h.worker = new Worker(h.context);
    await h.worker.start();
    const log = await h.finished(session);
    expect(log.at(-1)).toMatchObject({ data: { reason: "end_turn", steps: 1 } });
    expect(await findBudget(h, id)).toMatchObject({ spent: reserved + perCall, reserved: 0 });
    expect(await ledger(h)).toMatchObject([{ modelCalls: 2, estimated: 1, failed: 1 }]);
  });

  it("lets its run wait when nothing is left for the call again, and cancelling it counts it once", async () => {
    let started = 0;
    const answer: Answer = (_, signal) => ((started += 1), hanging(signal));
    const h = await open(answer);
    const { id } = await addBudget(h, { amount: 50 });
    const session = await h.session(await h.agent());
    await h.say(session, "hi");
    await h.until(session, () => started === 1);
    const { reserved } = await findBudget(h, id);
    await h.worker.stop(0);
    h.worker = new Worker(h.context);
    await h.worker.start();
    await h.until(session, has("budget.reached"));
    expect(started).toBe(1);
    await h.send(session, { type: "user.interrupt" }, "control");
    await h.finished(session);
    expect(await findBudget(h, id)).toMatchObject({ spent: reserved, reserved: 0, waiting: 0 });
    expect(await ledger(h)).toMatchObject([{ modelCalls: 1 }]);
  });
});

async function* hanging(signal: AbortSignal) {
  yield [{ type: "text" as const, block: 0, text: "so far" }];
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  const error = { code: "aborted" as const, message: "aborted", retryable: false };
  yield [{ type: "error" as const, error }];
}
