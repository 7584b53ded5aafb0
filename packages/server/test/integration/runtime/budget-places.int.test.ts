import { afterEach, describe, expect, it } from "vitest";
import { addBudget, findBudget, raise } from "../../support/runtime/budgets.ts";
import { Harness } from "../../support/runtime/harness.ts";
import { pricedClient } from "../../support/runtime/priced-client.ts";
import { type Answer, text } from "../../support/runtime/scripted-client.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

describe("sessions that a budget holds back", () => {
  it("give up their places for the session whose lost call is in their way", async () => {
    let letGo: () => void = () => {};
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    let asked = 0;
    const answer: Answer = async function* () {
      asked += 1;
      if (asked === 1) await gate;
      yield text("done");
    };
    const settings = { maxSessions: 2 };
    harness = await Harness.open({ answer, settings, overrides: { models: pricedClient(answer) } });
    const h = harness;
    const agent = await h.agent();
    const [lost, first, second] = [await h.session(agent), await h.session(agent), await h.session(agent)];
    const { id } = await addBudget(h, { amount: 1_000_000 });
    await h.say(lost, "hi");
    await h.until(lost, () => asked === 1);
    // Its call may come to the end of the budget, so that the others have to wait for it.
    const { reserved } = await findBudget(h, id);
    await raise(h, id, reserved);
    await h.say(first, "hi");
    await h.until(first, (log) => log.some(({ type }) => type === "run.started"));
    await h.say(second, "hi");
    await h.context.store.system.release({ orgId: h.orgId, sessionId: lost, epoch: 1, withInputs: true });
    letGo();
    await h.until(second, (log) => log.some(({ type }) => type === "run.started"));
    let settled = false;
    await h.until(lost, () => {
      void findBudget(h, id).then((now) => (settled = now.reserved === 0 && now.spent === reserved));
      return settled;
    });
    await raise(h, id, 1_000_000);
    for (const session of [lost, first, second]) {
      const log = await h.finished(session);
      expect(log.at(-1)).toMatchObject({ type: "run.finished", data: { reason: "end_turn" } });
    }
  });
});
