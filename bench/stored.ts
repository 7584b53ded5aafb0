// T16: whether it matters how many sessions are stored: listing, opening and a turn on a server with a million of them, beside one with
// a thousand in the same run, which is the floor. The sessions are copies of one that was made over HTTP.
//   npm run bench -- stored [--many 1000000] [--few 1000] [--requests 2000] [--turns 400] [--rounds 5] [--json file] [--dir folder]
import { rmSync, statSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
import { about } from "./support/about.ts";
import { type Api, apiOf } from "./support/api.ts";
import { type BerthServer, startBerth } from "./support/berth-server.ts";
import { startChild } from "./support/child.ts";
import { median } from "./support/machine.ts";
import { readOptions } from "./support/options.ts";
import { makeFolder } from "./support/own-folder.ts";
import { cpuMs } from "./support/process-use.ts";
import { fill } from "./support/stored/fill.ts";
import { tell } from "./support/tell.ts";
import { followSession, openSession } from "./support/turns/berth.ts";

const options = readOptions({ many: 1_000_000, few: 1_000, requests: 2_000, turns: 400, rounds: 5 });
const { requests, turns, rounds } = options;
const concurrent = 16;
const folder = makeFolder(options.dir);
const agent = new Agent({ keepAlive: true });
const model = await startChild(join(import.meta.dirname, "support/turns/model-double.ts"));
const baseUrl = `http://127.0.0.1:${model.port}/v1`;
const config = {
  providers: [{ name: "double", kind: "openai-compatible", baseUrl }],
  // What is measured is the way to the rows: no limit holds the one caller back.
  rateLimits: false,
  activationMaxSessions: 1_000,
};

interface Side {
  readonly name: "few" | "many";
  readonly count: number;
  readonly server: BerthServer;
  readonly api: Api;
  readonly ids: readonly string[];
  /** Cursor of a page in the middle of the list. */
  readonly middle: string;
  readonly gigabytes: number;
}

interface Figures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU of the server for each. Milliseconds. */
  readonly cpu: number;
}

async function open(name: Side["name"], count: number): Promise<Side> {
  const data = join(folder, name);
  const first = await startBerth({ data, config });
  const api = apiOf(first, agent);
  await api.post("/api/v1/agents", JSON.stringify({ name: "at-once", model: "double/at-once", tools: [] }));
  const session = await openSession(api, "at-once");
  await session.close();
  await first.stop();
  const began = performance.now();
  const ids = fill({ data, like: session.id, count, ids: 1_000 });
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  const gigabytes = statSync(join(data, "berth.db")).size / 1e9;
  console.error(`${name}: ${count} sessions made in ${seconds} s, ${gigabytes.toFixed(2)} GB`);
  const server = await startBerth({ data, config });
  const middle = ids[ids.length >> 1] ?? "";
  return { name, count, server, api: apiOf(server, agent), ids, middle, gigabytes };
}

const at = (side: Side, i: number): string => side.ids[i % side.ids.length] ?? "";

/** What is done, one after the other for each place of 16 at once. */
const asks: Readonly<
  Record<string, { readonly times: number; readonly ask: (side: Side, i: number) => Promise<unknown> }>
> = {
  list: { times: requests, ask: ({ api }) => api.get("/api/v1/sessions?limit=20") },
  "list from the middle": {
    times: requests,
    ask: ({ api, middle }) => api.get(`/api/v1/sessions?limit=20&after=${middle}`),
  },
  "open by id": { times: requests, ask: (side, i) => side.api.get(`/api/v1/sessions/${at(side, i)}`) },
  "read its log": {
    times: requests,
    ask: (side, i) => side.api.get(`/api/v1/sessions/${at(side, i)}/events?after=0&limit=100`),
  },
  create: {
    times: turns,
    ask: ({ api }) => api.post("/api/v1/sessions", JSON.stringify({ agent: "at-once" })),
  },
  "append (a turn)": {
    times: turns,
    async ask(side, i) {
      const place = await followSession(side.api, at(side, i));
      const { totalMs } = await place.turn();
      await place.close();
      return totalMs;
    },
  },
};

async function measure(side: Side, name: string): Promise<Figures> {
  const { times: count, ask } = asks[name] ?? { times: 0, ask: async () => null };
  const times: number[] = [];
  let next = 0;
  const before = cpuMs(side.server.pid);
  const worker = async () => {
    for (let i = next++; i < count; i = next++) {
      const began = performance.now();
      const own = await ask(side, i);
      times.push(typeof own === "number" ? own : performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: concurrent }, worker));
  const sorted = times.toSorted((a, b) => a - b);
  return {
    p50Ms: median(times),
    p99Ms: sorted[Math.floor(0.99 * sorted.length)] ?? 0,
    cpu: (cpuMs(side.server.pid) - before) / times.length,
  };
}

const sides: Side[] = [];
try {
  const where = about();
  sides.push(await open("few", options.few), await open("many", options.many));
  const found = new Map<string, Figures[]>();
  for (let round = -1; round < rounds; round++) {
    for (const name of Object.keys(asks)) {
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        const figures = await measure(side, name);
        const key = `${name}/${side.name}`;
        // The first round warms up.
        if (round >= 0) found.set(key, [...(found.get(key) ?? []), figures]);
      }
    }
  }
  const of = (key: string, which: keyof Figures) =>
    median((found.get(key) ?? []).map((figures) => figures[which]));
  const rows = Object.keys(asks).flatMap((name) =>
    sides.map((side) => {
      const key = `${name}/${side.name}`;
      const [p50, p99] = [of(key, "p50Ms").toFixed(2), of(key, "p99Ms").toFixed(2)];
      return [name, String(side.count), p50, p99, of(key, "cpu").toFixed(3)];
    }),
  );
  const sizes = sides.map(({ gigabytes }) => `${gigabytes.toFixed(2)} GB`).join(" and ");
  tell({
    about: where,
    settings: `${requests} requests and ${turns} turns at ${concurrent} at once, 1,000 of the sessions in turns, ${rounds} interleaved rounds, medians; databases of ${sizes} in ${options.dir}`,
    results: Object.fromEntries(found),
    rows: [["", "sessions", "p50 ms", "p99 ms", "CPU ms"], ...rows],
    verdicts: Object.keys(asks).map((name) => ({
      id: "T16",
      what: `${name}, p50 to that of ${options.few} sessions`,
      value: of(`${name}/many`, "p50Ms") / of(`${name}/few`, "p50Ms"),
      target: 1.5,
      beyond: 1.1,
    })),
    options,
  });
} finally {
  agent.destroy();
  for (const { server } of sides) await server.stop();
  await model.stop();
  rmSync(folder, { recursive: true, force: true });
}
