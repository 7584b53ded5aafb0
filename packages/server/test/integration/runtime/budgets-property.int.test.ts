import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Worker } from "../../../src/runtime/worker.ts";
import { addBudget, findBudget, ledger, raise } from "../../support/runtime/budgets.ts";
import { Harness } from "../../support/runtime/harness.ts";
import { pricedClient } from "../../support/runtime/priced-client.ts";
import { type Answer, calls, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { echo } from "../../support/runtime/test-tools.ts";

/** More than any call here reserves: its context, its tools, and 100 tokens of output. */
const mostReserved = 400;
const unlimited = 1_000_000;

const scene = fc.record({
  limit: fc.integer({ min: 1, max: 150 }),
  /** Tool calls of each run, before its answer. */
  runs: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 5 }),
  /** Model calls after whose start the worker dies. */
  kills: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 2 }),
  raises: fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 2 }),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

async function play({ limit, runs, kills, raises }: Scene): Promise<void> {
  let started = 0;
  let dying: Promise<void> = Promise.resolve();
  let kill: () => void = () => undefined;
  const answer: Answer = async function* (call, signal) {
    started += 1;
    if (kills.includes(started)) {
      kill();
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      const error = { code: "aborted" as const, message: "aborted", retryable: false };
      yield [{ type: "error" as const, error }];
      return;
    }
    const wanted = Number(/tools (\d+)/.exec(JSON.stringify(call.request.messages))?.[1] ?? 0);
    await new Promise((resolve) => setImmediate(resolve));
    yield turnOf(call) < wanted ? calls(["echo", { say: "x" }]) : text("done");
  };
  const models = pricedClient(answer);
  const h = await Harness.open({ answer, tools: [echo], overrides: { models } });
  kill = () => {
    dying = dying.then(async () => {
      await h.worker.stop(0);
      h.worker = new Worker(h.context);
      await h.worker.start();
    });
  };
  try {
    const { id } = await addBudget(h, { amount: limit });
    const agent = await h.agent({ tools: ["*"] });
    const sessions = await Promise.all(runs.map(() => h.session(agent)));
    await Promise.all(sessions.map((session, index) => h.say(session, `tools ${runs[index]}`)));
    for (const amount of [limit, ...raises.map((more) => limit + more)]) {
      await raise(h, id, amount);
      for (const session of sessions)
        await h.until(
          session,
          (log) => log.at(-1)?.type === "budget.reached" || log.at(-1)?.type === "run.finished",
        );
      await dying;
      expect((await findBudget(h, id)).spent).toBeLessThanOrEqual(
        limit + Math.max(0, ...raises) + mostReserved,
      );
    }
    await raise(h, id, unlimited);
    for (const session of sessions) await h.finished(session);
    await dying;
    const [sum] = await ledger(h);
    const { inputTokens = 0, outputTokens = 0 } = sum?.usage ?? {};
    expect(await findBudget(h, id)).toMatchObject({
      spent: inputTokens + outputTokens,
      reserved: 0,
      waiting: 0,
    });
  } finally {
    await dying;
    await h.close();
  }
}

describe("runs side by side at one budget, with workers that die", { timeout: 120_000 }, () => {
  it("I15: exceed it by at most one call's reserve, and settle to the ledger's sum", () =>
    fc.assert(fc.asyncProperty(scene, play), { numRuns: 8, interruptAfterTimeLimit: 60_000 }));
});
