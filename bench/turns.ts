// T1, T1b, T2, T4: turns per second and the time to the first token, against the model called directly and against the least
// server that commits each turn, in the same run. Every contender and the model have a process of their own.
//   npm run bench -- turns [--seconds 1.5] [--rounds 5] [--only T1,T2] [--json file] [--dir folder] [--cpu-prof folder]
//     [--warm-up 8]: seconds for which each contender takes turns of each kind before anything is measured
//     [--peers]: AI SDK + Hono, LangGraph's API server and Mastra take part; what is missing of them is installed in bench/peers
//     [--against checkout]: the Berth of another checkout takes part as `other`, to see what a change is worth
import { Agent } from "node:http";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { about } from "./support/about.ts";
import { startBerth } from "./support/berth-server.ts";
import { startChild } from "./support/child.ts";
import { median } from "./support/machine.ts";
import { pathOf, readOptions } from "./support/options.ts";
import { makeFolder } from "./support/own-folder.ts";
import { tell } from "./support/tell.ts";
import { berth } from "./support/turns/berth.ts";
import { type Contender, type PeerName, peerNames } from "./support/turns/contender.ts";
import { question, requests } from "./support/turns/direct.ts";
import { type Case, type Figures, measure } from "./support/turns/measure.ts";
import { type Missing, startPeers, versionsOf } from "./support/turns/peers.ts";
import { ratiosOf, type Results, rowsOf } from "./support/turns/report.ts";

const others = {
  texts: { only: "T1,T1b,T2,T4 (or some)", against: "CHECKOUT (folder)", "cpu-prof": "FOLDER" },
  flags: ["peers"],
} as const;
const options = readOptions({ seconds: 1.5, rounds: 5, "warm-up": 8 }, others);
const { seconds, rounds } = options;
const wanted = (options.only ?? "T1,T1b,T2,T4").split(",");

const cases: readonly (Case & { readonly of: readonly string[] })[] = [
  { name: "T1 at 1", shape: "at-once", concurrent: 1, of: ["T1", "T4"] },
  { name: "T1 at 16", shape: "at-once", concurrent: 16, of: ["T1"] },
  // The floor of T2 is T1's.
  { name: "T1 at 64", shape: "at-once", concurrent: 64, of: ["T1", "T2"] },
  { name: "T1b at 64", shape: "tokens", concurrent: 64, of: ["T1b"] },
  { name: "T2 at 64", shape: "tool", concurrent: 64, of: ["T2"] },
];

const known = [...new Set(cases.flatMap(({ of }) => of))];
const unknown = wanted.filter((id) => !known.includes(id));
if (unknown.length > 0) {
  console.error(`--only: there is no ${unknown.join(", ")}; there is ${known.join(", ")}`);
  process.exit(2);
}

const folder = makeFolder(options.dir);
const agent = new Agent({ keepAlive: true });
const ends: (() => Promise<void>)[] = [];
const missing: Missing[] = [];

async function contenders(): Promise<readonly Contender[]> {
  const support = join(import.meta.dirname, "support/turns");
  const model = await startChild(join(support, "model-double.ts"));
  ends.push(() => model.stop());
  const relay = await startChild(join(support, "relay.ts"), [String(model.port), join(folder, "relay.db")]);
  ends.push(() => relay.stop());
  const baseUrl = `http://127.0.0.1:${model.port}/v1`;
  const profile = options["cpu-prof"];
  const berthOf = async (name: "berth" | "other", checkout: { checkout?: string }) => {
    const server = await startBerth({
      ...checkout,
      data: join(folder, name),
      config: { providers: [{ name: "double", kind: "openai-compatible", baseUrl }] },
      execArgv: profile === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`],
    });
    ends.push(() => server.stop());
    return berth(server, { agent, name });
  };
  const messages = [{ role: "user", content: question }];
  return [
    requests({
      name: "model",
      pid: null,
      base: baseUrl,
      agent,
      ask: (shape) => ({ path: "/chat/completions", body: { model: shape, stream: true, messages } }),
      stop: () => model.stop(),
    }),
    requests({
      name: "floor",
      pid: relay.pid,
      base: `http://127.0.0.1:${relay.port}`,
      agent,
      ask: (shape, i) => ({ path: "/turn", body: { session: `session-${i}`, model: shape, text: question } }),
      stop: () => relay.stop(),
    }),
    await berthOf("berth", {}),
    ...(options.against === null ? [] : [await berthOf("other", { checkout: pathOf(options.against) })]),
    ...(options.peers ? await peers(baseUrl) : []),
  ];
}

async function peers(modelUrl: string): Promise<readonly Contender[]> {
  const started = await startPeers({ modelUrl, files: folder });
  missing.push(...started.missing);
  ends.push(...started.contenders.map((peer) => () => peer.stop()));
  return started.contenders;
}

const isPeer = (name: string): name is PeerName => (peerNames as readonly string[]).includes(name);

/** Turns with a tool are what servers take; the model alone has none, and the floor of T2 is T1's. */
const takes = ({ name }: Contender, { shape }: Case) =>
  shape !== "tool" || (name !== "model" && name !== "floor");

/** Null when a peer broke: it is named, and takes no further part. */
async function measured(contender: Contender, one: Case, lasting = seconds): Promise<Figures | null> {
  const { name } = contender;
  if (missing.some((peer) => peer.name === name)) return null;
  const run = () => measure(contender, one, lasting);
  try {
    return await (contender.awake?.(run) ?? run());
  } catch (error) {
    if (!isPeer(name)) throw error;
    missing.push({ name, reason: `it broke in ${one.name}: ${String(error)}` });
    return null;
  } finally {
    // Its server ends a connection that rests while others are measured, maybe just when it is used again.
    agent.destroy();
  }
}

try {
  const where = about();
  const all = await contenders();
  const chosen = cases.filter((one) => one.of.some((id) => wanted.includes(id)));
  // A server runs for weeks. V8 compiles what is called often; Berth's turn costs half after some 8,000 of what it does at first.
  const shapes = [...new Set(chosen.map(({ shape }) => shape))];
  for (const contender of all) {
    for (const shape of shapes) {
      const one: Case = { name: `the warm-up (${shape})`, shape, concurrent: 64 };
      if (takes(contender, one)) await measured(contender, one, options["warm-up"]);
    }
  }
  const results = new Map<string, Map<string, Figures[]>>();
  for (let round = 0; round < rounds; round++) {
    for (const one of chosen) {
      for (const contender of all) {
        if (!takes(contender, one)) continue;
        const figures = await measured(contender, one);
        if (figures === null) continue;
        const ofCase = results.get(one.name) ?? new Map<string, Figures[]>();
        ofCase.set(contender.name, [...(ofCase.get(contender.name) ?? []), figures]);
        results.set(one.name, ofCase);
      }
    }
  }
  const medians: Results = Object.fromEntries(
    [...results].map(([name, ofCase]) => [
      name,
      Object.fromEntries([...ofCase].map(([contender, figures]) => [contender, mediansOf(figures)])),
    ]),
  );
  const settings =
    `20 tokens, WAL, synchronous=FULL, 64 sessions in turns, ${rounds} interleaved rounds of ` +
    `${seconds} s after ${options["warm-up"]} s of each kind to warm up, medians, files in ${options.dir}`;
  const taken = all.flatMap(({ name }) => (isPeer(name) ? [{ name, versions: versionsOf(name) }] : []));
  const named = taken.map(({ name, versions }) => {
    const each = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
    return `${name}: ${each.join(", ")}`;
  });
  tell({
    about: where,
    settings,
    results: { medians, peers: { taken, missing } },
    rows: rowsOf(medians),
    verdicts: ratiosOf(medians),
    notes: [...named, ...missing.map(({ name, reason }) => `${name} is missing: ${reason}`)],
    options,
  });
} finally {
  agent.destroy();
  for (const end of ends.toReversed()) await end();
  rmSync(folder, { recursive: true, force: true });
}

function mediansOf(figures: readonly Figures[]): Figures {
  const of = (key: keyof Figures) => median(figures.map((one) => one[key] ?? 0));
  return {
    turnsPerSecond: of("turnsPerSecond"),
    cpuMs: figures[0]?.cpuMs === null ? null : of("cpuMs"),
    firstP50: of("firstP50"),
    totalP50: of("totalP50"),
    totalP99: of("totalP99"),
  };
}
