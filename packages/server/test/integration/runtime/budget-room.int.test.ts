import type { SessionEvent } from "@berth/contract";
import { afterEach, describe, expect, it } from "vitest";
import { newId } from "../../../src/lib/id.ts";
import { knownEventVersion } from "../../../src/session/upcast.ts";
import { addBudget, findBudget, raise } from "../../support/runtime/budgets.ts";
import { Harness } from "../../support/runtime/harness.ts";
import { pricedClient } from "../../support/runtime/priced-client.ts";
import { type Answer, text } from "../../support/runtime/scripted-client.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

const has = (type: SessionEvent["type"]) => (log: readonly SessionEvent[]) =>
  log.some((event) => event.type === type);
const hello = () => text("Hello.");
/** What each answer counts. */
const perCall = 15;

/** A worker that is dead now holds the session, and had begun a call. Tokens that it reserved. */
async function reserveAsDead(h: Harness, sessionId: string, agentId: string): Promise<number> {
  const { store, clock } = h.context;
  const about = { orgId: h.orgId, sessionId };
  const claim = { ...about, workerId: newId("worker", clock.now()), leaseMs: 6_000, knownEventVersion };
  const claimed = await store.system.claim(claim);
  if (!claimed.ok) throw new Error(`${sessionId} could not be claimed: ${claimed.reason}`);
  const [inputTokens, outputTokens] = [10, 1_000];
  const call = {
    call: newId("step", clock.now()),
    kind: "model",
    at: clock.now(),
    model: "test/model",
  } as const;
  const payer = { owner: "usr_test", agents: [agentId], runId: newId("run", clock.now()) };
  const reserve = { ...call, ...payer, inputTokens, outputTokens, cost: null };
  const done = await store.lane.reserve({
    ...about,
    epoch: claimed.epoch,
    settles: [],
    reserves: [reserve],
  });
  if (!done.ok) throw new Error(`nothing was reserved: ${done.reason}`);
  return inputTokens + outputTokens;
}

/** Two runs that fill the memory and wait until a call of a dead worker's session, which nobody can make, leaves room. */
async function openFull() {
  const options = { answer: hello, overrides: { models: pricedClient(hello) } };
  const h = (harness = await Harness.open({ ...options, settings: { maxSessions: 2 } }));
  const { id } = await addBudget(h, { amount: perCall });
  const agent = await h.agent();
  const lost = await h.session(agent);
  const reserved = await reserveAsDead(h, lost, agent.id);
  const waiting = [await h.session(agent), await h.session(agent)];
  for (const session of waiting) await h.say(session, "hi");
  for (const session of waiting) await h.until(session, has("run.started"));
  expect(await findBudget(h, id)).toMatchObject({ spent: 0, reserved, waiting: 0 });
  return { h, id, lost, reserved, waiting };
}

describe("runs that wait for room in a budget", () => {
  it("leave memory to the session of a dead worker whose call is in their way", async () => {
    const { h, id, lost, reserved, waiting } = await openFull();
    await h.say(lost, "hi");
    for (const session of [lost, ...waiting]) await h.until(session, has("budget.reached"));
    expect(await findBudget(h, id)).toMatchObject({ spent: reserved, reserved: 0, waiting: 3 });
    await raise(h, id, 10 * reserved);
    for (const session of [lost, ...waiting])
      expect((await h.finished(session)).at(-1)).toMatchObject({ data: { reason: "end_turn" } });
    expect(await findBudget(h, id)).toMatchObject({ spent: reserved + 3 * perCall, reserved: 0 });
  });

  it("leave memory to another organization", async () => {
    const { h, id, reserved } = await openFull();
    const other = h.neighbour();
    const session = await other.session(await other.agent());
    await other.say(session, "hi");
    expect((await other.finished(session)).at(-1)).toMatchObject({ data: { reason: "end_turn" } });
    expect(await findBudget(h, id)).toMatchObject({ spent: 0, reserved });
  });

  it("leave memory to the session that this worker itself lost, with a call that is in their way", async () => {
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
    await h.until(first, has("run.started"));
    await h.say(second, "hi");
    await h.context.store.system.release({ orgId: h.orgId, sessionId: lost, epoch: 1, withInputs: true });
    letGo();
    await h.until(second, has("run.started"));
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
