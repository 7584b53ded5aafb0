// T3: CPU of the server for each token on its way from the model to a client's event stream, at 1, 64 and 512 answers of 500 tokens at
// once, every token a packet; beside the least that can be done: fetch, parse, write. What a server takes at rest is taken off.
//   npm run bench -- tokens [--tokens 500] [--most 512] [--rate 12800] [--rounds 3] [--answers 4] [--json file] [--dir folder]
//     --rate: tokens per second of all answers together; --answers: how many at least make one measurement
import { rmSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { about } from "./support/about.ts";
import { type Api, apiOf } from "./support/api.ts";
import { startBerth } from "./support/berth-server.ts";
import { startChild } from "./support/child.ts";
import { median } from "./support/machine.ts";
import { readOptions } from "./support/options.ts";
import { makeFolder } from "./support/own-folder.ts";
import { cpuUs } from "./support/process-use.ts";
import { tell } from "./support/tell.ts";
import { openSession } from "./support/turns/berth.ts";
import type { Place } from "./support/turns/contender.ts";
import { question, requests } from "./support/turns/direct.ts";

const options = readOptions({ tokens: 500, most: 512, rate: 12_800, rounds: 3, answers: 4 });
const { tokens, most, rate, rounds, answers } = options;
const cases = [1, 64, 512].filter((streams) => streams <= most);
const everyMs = (streams: number) => Math.max(2, Math.round((streams * 1_000) / rate));
const folder = makeFolder(options.dir);
const agent = new Agent({ keepAlive: true });
const ends: (() => Promise<void>)[] = [];

interface Side {
  readonly name: "floor" | "berth";
  readonly pid: number;
  open(streams: number): Promise<readonly Place[]>;
}

/** Microseconds of CPU for each token without what the server takes at rest, and that. */
interface Figures {
  readonly perToken: number;
  /** Microseconds for each second. */
  readonly atRest: number;
  readonly tokensPerSecond: number;
  readonly firstP50: number;
}

async function sidesOf(): Promise<readonly Side[]> {
  const support = join(import.meta.dirname, "support/tokens");
  const model = await startChild(join(support, "model-double.ts"), [String(tokens)]);
  ends.push(() => model.stop());
  const relay = await startChild(join(support, "relay.ts"), [String(model.port)]);
  ends.push(() => relay.stop());
  const baseUrl = `http://127.0.0.1:${model.port}/v1`;
  const models = cases.map((streams) => ({ name: `every-${everyMs(streams)}`, contextWindow: 1_000_000 }));
  const server = await startBerth({
    data: join(folder, "berth"),
    config: {
      providers: [{ name: "double", kind: "openai-compatible", baseUrl, models }],
      rateLimits: false,
      // Every answer is streamed at once: none stands in line for a place.
      workerConcurrency: 1_024,
      activationMaxSessions: 4_096,
    },
  });
  ends.push(() => server.stop());
  const api = apiOf(server, agent);
  for (const { name } of models) await makeAgent(api, name);
  const messages = [{ role: "user", content: question }];
  return [
    {
      name: "floor",
      pid: relay.pid,
      open: (streams) => {
        const body = { model: `every-${everyMs(streams)}`, stream: true, messages };
        const ask = () => ({ path: "/", body });
        const { pid } = relay;
        const base = `http://127.0.0.1:${relay.port}`;
        const stop = () => relay.stop();
        return requests({ name: "floor", pid, base, agent, ask, stop }).open("tokens", streams);
      },
    },
    {
      name: "berth",
      pid: server.pid,
      open: (streams) => {
        const opened = Array.from({ length: streams }, () => openSession(api, `every-${everyMs(streams)}`));
        return Promise.all(opened);
      },
    },
  ];
}

async function makeAgent(api: Api, name: string): Promise<void> {
  await api.post("/api/v1/agents", JSON.stringify({ name, model: `double/${name}`, tools: [] }));
}

async function measure(side: Side, streams: number): Promise<Figures> {
  const places = await side.open(streams);
  try {
    await sleep(500);
    const restBefore = cpuUs(side.pid);
    await sleep(2_000);
    const atRest = (cpuUs(side.pid) - restBefore) / 2;
    const each = Math.ceil(answers / streams);
    const firsts: number[] = [];
    const before = cpuUs(side.pid);
    const began = performance.now();
    const one = async (place: Place) => {
      for (let i = 0; i < each; i++) firsts.push((await place.turn()).firstMs);
    };
    await Promise.all(places.map(one));
    const seconds = (performance.now() - began) / 1_000;
    const all = streams * each * tokens;
    const perToken = (cpuUs(side.pid) - before - atRest * seconds) / all;
    return { perToken, atRest, tokensPerSecond: all / seconds, firstP50: median(firsts) };
  } finally {
    await Promise.all(places.map((place) => place.close()));
  }
}

try {
  const where = about();
  const sides = await sidesOf();
  const found = new Map<string, Figures[]>();
  for (let round = -1; round < rounds; round++) {
    for (const streams of round === -1 ? cases.slice(0, 2) : cases) {
      for (const side of sides) {
        const figures = await measure(side, streams);
        const key = `${streams}/${side.name}`;
        // The first round warms up.
        if (round >= 0) found.set(key, [...(found.get(key) ?? []), figures]);
      }
    }
  }
  const of = (key: string, which: keyof Figures) =>
    median((found.get(key) ?? []).map((figures) => figures[which]));
  const rows = cases.flatMap((streams) =>
    sides.map(({ name }) => {
      const key = `${streams}/${name}`;
      const shown = [of(key, "perToken"), of(key, "tokensPerSecond"), of(key, "firstP50")];
      return [
        String(streams),
        name,
        ...shown.map((value) => value.toFixed(1)),
        (of(key, "atRest") / 1_000).toFixed(1),
      ];
    }),
  );
  const paces = cases.map((streams) => `${everyMs(streams)} ms apart at ${streams}`).join(", ");
  tell({
    about: where,
    settings: `answers of ${tokens} tokens, a packet each, ${paces}; ${rounds} interleaved rounds, medians; files in ${options.dir}`,
    results: Object.fromEntries(found),
    rows: [["at once", "who", "CPU us per token", "tokens/s", "first token ms", "at rest, ms/s"], ...rows],
    verdicts: cases.map((streams) => ({
      id: streams === 64 ? "T3" : "",
      what: `CPU per token at ${streams}, to the floor's`,
      value: of(`${streams}/berth`, "perToken") / of(`${streams}/floor`, "perToken"),
      target: 3,
      beyond: 2,
    })),
    options,
  });
} finally {
  agent.destroy();
  for (const end of ends.toReversed()) await end();
  rmSync(folder, { recursive: true, force: true });
}
