// T5: what a turn costs as the history of its session grows, beside a relay that keeps the conversation and commits each turn. The
// model has a window, counts what it is sent and refuses more: contexts are compacted on the way, as in long sessions of real use.
//   npm run bench -- history [--turns 4000] [--block 100] [--sessions 4] [--window 4000] [--json file] [--dir folder]
import { rmSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
import { about } from "./support/about.ts";
import { apiOf } from "./support/api.ts";
import { startBerth } from "./support/berth-server.ts";
import { startChild } from "./support/child.ts";
import type { Counts } from "./support/counting-model.ts";
import { type Block, rowsOf, verdictsOf } from "./support/history/report.ts";
import { median } from "./support/machine.ts";
import { readOptions } from "./support/options.ts";
import { makeFolder } from "./support/own-folder.ts";
import { cpuMs } from "./support/process-use.ts";
import { tell } from "./support/tell.ts";
import { openSession } from "./support/turns/berth.ts";
import type { Place } from "./support/turns/contender.ts";
import { question, requests } from "./support/turns/direct.ts";

const options = readOptions({ turns: 4_000, block: 100, sessions: 4, window: 4_000 });
const { turns, block, sessions, window } = options;
const folder = makeFolder(options.dir);
const agent = new Agent({ keepAlive: true });
const ends: (() => Promise<void>)[] = [];

interface Side {
  readonly name: "floor" | "berth";
  readonly pid: number;
  readonly places: readonly Place[];
}

async function open(): Promise<{ sides: readonly Side[]; counts: () => Promise<Counts> }> {
  const model = await startChild(join(import.meta.dirname, "support/counting-model.ts"), [String(window)]);
  ends.push(() => model.stop());
  const relay = await startChild(join(import.meta.dirname, "support/history/relay.ts"), [
    String(model.port),
    join(folder, "relay.db"),
    String(window),
  ]);
  ends.push(() => relay.stop());
  const baseUrl = `http://127.0.0.1:${model.port}/v1`;
  const models = [{ name: "counting", contextWindow: window }];
  const server = await startBerth({
    data: join(folder, "berth"),
    config: { providers: [{ name: "double", kind: "openai-compatible", baseUrl, models }] },
  });
  ends.push(() => server.stop());
  const api = apiOf(server, agent);
  const definition = { name: "historian", model: "double/counting", tools: [] };
  await api.post("/api/v1/agents", JSON.stringify(definition));
  const floor = requests({
    name: "floor",
    pid: relay.pid,
    base: `http://127.0.0.1:${relay.port}`,
    agent,
    ask: (_, i) => ({ path: "/turn", body: { session: `session-${i}`, text: question } }),
    stop: () => relay.stop(),
  });
  const opened = Array.from({ length: sessions }, () => openSession(api, "historian"));
  return {
    sides: [
      { name: "floor", pid: relay.pid, places: await floor.open("at-once", sessions) },
      { name: "berth", pid: server.pid, places: await Promise.all(opened) },
    ],
    counts: async () => (await (await fetch(`http://127.0.0.1:${model.port}/counts`)).json()) as Counts,
  };
}

async function measure({ pid, places }: Side, turn: number): Promise<Block> {
  const times: number[] = [];
  const before = cpuMs(pid);
  const one = async (place: Place) => {
    for (let i = 0; i < block; i++) times.push((await place.turn()).totalMs);
  };
  await Promise.all(places.map(one));
  const sorted = times.toSorted((a, b) => a - b);
  return {
    turn,
    cpuMs: (cpuMs(pid) - before) / times.length,
    p50Ms: median(times),
    p99Ms: sorted[Math.floor(0.99 * sorted.length)] ?? 0,
  };
}

try {
  const where = about();
  const { sides, counts } = await open();
  const results: Record<Side["name"], Block[]> = { floor: [], berth: [] };
  const compactions: number[] = [];
  for (let turn = block; turn <= turns; turn += block) {
    for (const side of sides) {
      const before = await counts();
      results[side.name].push(await measure(side, turn));
      const { calls } = await counts();
      if (side.name === "berth") compactions.push(calls - before.calls - block * sessions);
    }
  }
  const { refused, largest } = await counts();
  const found = { ...results, compactions };
  tell({
    about: where,
    settings:
      `${sessions} sessions at once, blocks of ${block} turns, interleaved; a window of ${window} tokens: ` +
      `${refused} prompts refused, the largest answered had ${largest} tokens; files in ${options.dir}`,
    results: found,
    rows: rowsOf(found),
    verdicts: verdictsOf(found),
    options,
  });
  for (const { places } of sides) await Promise.all(places.map((place) => place.close()));
} finally {
  agent.destroy();
  for (const end of ends.toReversed()) await end();
  rmSync(folder, { recursive: true, force: true });
}
