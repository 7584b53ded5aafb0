import type { SessionEvent } from "@berth/contract";
import { afterEach, describe, expect, it } from "vitest";
import type { ModelPart } from "../../../src/models/model.ts";
import { addBudget, findBudget, ledger, raise } from "../../support/runtime/budgets.ts";
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

const times = (log: readonly SessionEvent[], type: SessionEvent["type"]) =>
  log.filter((event) => event.type === type).length;
const asksForSummary: (call: Parameters<Answer>[0]) => boolean = ({ request }) =>
  request.system.includes("You write the summary");

describe("a summary under a budget", () => {
  it("is counted with the end of its run, also when a message begins the next one at once", async () => {
    const asked = { summary: false };
    const h = await open((call, signal) => {
      if (!asksForSummary(call)) return text("a".repeat(2_000)).filter(({ type }) => type !== "usage");
      asked.summary = true;
      return hanging(signal);
    });
    const { id } = await addBudget(h, { amount: 1_000_000 });
    const session = await h.session(await h.agent({ contextWindow: 2_000 }));
    for (let turn = 1; !asked.summary; turn++) {
      await h.say(session, `turn ${turn}`);
      await h.until(session, (log) => asked.summary || times(log, "run.finished") === turn);
    }
    const { spent, reserved } = await findBudget(h, id);
    expect(reserved).toBeGreaterThan(2_000);
    // Until it is counted it would be in the way of the next run, for as long as that one has.
    const amount = spent + reserved - 1;
    await raise(h, id, amount);
    await h.send(session, { type: "user.message", content: "other", onBusy: "interrupt" }, "control");
    const log = await h.until(session, (events) => times(events, "budget.reached") === 1);
    expect(log.at(-1)).toMatchObject({ data: { budgets: [{ limit: amount, spent: spent + reserved }] } });
    expect(await findBudget(h, id)).toMatchObject({ spent: spent + reserved, reserved: 0, waiting: 1 });
    expect(await ledger(h)).toMatchObject([{ failed: 1 }]);
  });

  it("that an open step waits for is made although the step holds the rest of the budget", async () => {
    let tooLong = true;
    const h = await open((call) => {
      if (asksForSummary(call) || call.request.messages.length < 5 || !tooLong) return text("Short.");
      tooLong = false;
      const message = "too long";
      return [{ type: "error", error: { code: "context_length_exceeded", message, retryable: false } }];
    });
    // Two calls come to 30 tokens, and what is set aside for a third to more than is left.
    const { id } = await addBudget(h, { amount: 50 });
    const session = await h.session(await h.agent());
    for (let turn = 1; turn <= 3; turn++) {
      await h.say(session, `turn ${turn}`);
      await h.finished(session, turn);
    }
    const log = await h.log(session);
    expect(times(log, "context.compacted")).toBe(1);
    expect(log.at(-1)).toMatchObject({ type: "run.finished", data: { reason: "end_turn" } });
    expect(await findBudget(h, id)).toMatchObject({ spent: 60, reserved: 0 });
    expect(await ledger(h)).toMatchObject([{ modelCalls: 4, failed: 0 }]);
  });
});

async function* hanging(signal: AbortSignal): AsyncGenerator<readonly ModelPart[]> {
  yield [{ type: "text", block: 0, text: "so far" }];
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  yield [{ type: "error", error: { code: "aborted", message: "aborted", retryable: false } }];
}
