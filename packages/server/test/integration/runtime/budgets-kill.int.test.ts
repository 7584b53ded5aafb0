import type { BerthClient } from "@berth/client";
import { describe, expect, it } from "vitest";
import { script, scriptModel, startMortalServer } from "../../support/cli/cli-rig.ts";

/** A third one in the middle of the same call would end its run as one that kills its worker. */
const kills = 2;
const sessions = 6;

/** Resolves when it is so; asks every few milliseconds. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Takes three seconds: a call that a new worker goes on with is there to be seen, however late somebody looks. */
const slow = (words: string) => [
  { text: words, chunk: 4, delayMs: 150 },
  { usage: { input: 40, output: 20 } },
];

async function talk(client: BerthClient): Promise<readonly string[]> {
  const runs: string[] = [];
  for (let i = 0; i < sessions; i++) {
    const input = script(
      [{ tool: "todo_read", input: {} }, { usage: { input: 30, output: 5 } }],
      slow("a".repeat(80)),
    );
    const { input: accepted } = await client.sessions.create({ agent: "tester", input });
    runs.push(accepted?.runId ?? "");
  }
  return runs;
}

describe("a server that is killed in the middle of its calls", { timeout: 120_000 }, () => {
  it("I15: leaves no reserve behind, and its budget counts what the ledger has", async () => {
    await using server = await startMortalServer();
    const { client } = server;
    await client.agents.create({
      name: "tester",
      model: scriptModel,
      tools: ["todo_read"],
      permissions: { mode: "auto" },
      modelSettings: { maxOutputTokens: 50 },
    });
    const make = (limit: number, onLimit: "pause" | "warn") =>
      client.budgets.create({ scope: "org", unit: "tokens", period: "total", limit, onLimit });
    const { id } = await make(100_000, "pause");
    const small = await make(10, "warn");
    const runs = await talk(client);
    for (let kill = 1; kill <= kills; kill++) {
      const target = kill;
      await until("calls under way", async () => (await client.budgets.get(id)).reserved > target);
      await server.kill();
      await server.start();
    }
    for (const run of runs)
      await until(`the end of ${run}`, async () => (await client.runs.get(run)).status === "completed");
    const counted = await client.budgets.get(id);
    const { items } = await client.usage.list({ groupBy: "model" });
    const used = items.reduce((sum, { usage }) => sum + usage.inputTokens + usage.outputTokens, 0);
    expect(counted).toMatchObject({ reserved: 0, spent: used, waiting: 0 });
    expect(await client.budgets.get(small.id)).toMatchObject({ reserved: 0, spent: used });
    expect(items[0]?.estimatedCalls).toBeGreaterThan(0);
    expect(items[0]?.modelCalls).toBe(2 * sessions + (items[0]?.estimatedCalls ?? 0));
  });
});
