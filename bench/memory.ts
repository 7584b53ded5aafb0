// T6: memory of each live idle session with 10 messages and of each that was put out, of the real server, after garbage collection;
// beside what the conversations alone take as plain objects. And whether the heap is what the activation cache measured, for them and for
// a tenth as many long ones.
//   npm run bench -- memory [--sessions 10000] [--turns 5] [--long 50] [--rounds 1] [--concurrent 64] [--rest 12] [--json file]
//     [--dir folder]
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RuntimeStats } from "@berth/contract";
import { about } from "./support/about.ts";
import { type Api, apiOf } from "./support/api.ts";
import { startBerth } from "./support/berth-server.ts";
import { startChild } from "./support/child.ts";
import { median } from "./support/machine.ts";
import { readOptions } from "./support/options.ts";
import { makeFolder } from "./support/own-folder.ts";
import { probed } from "./support/probe/probe.ts";
import { residentMb } from "./support/process-use.ts";
import { tell } from "./support/tell.ts";
import { openSession } from "./support/turns/berth.ts";

const options = readOptions({ sessions: 10_000, turns: 5, long: 50, rounds: 1, concurrent: 64, rest: 12 });
const { sessions, turns, long, rounds, concurrent, rest: restSeconds } = options;
const longSessions = Math.ceil(sessions / 10);
const folder = makeFolder(options.dir);
const agent = new Agent({ keepAlive: true });

/** Bytes of each session. */
interface Figures {
  readonly heldLive: number;
  readonly residentLive: number;
  readonly measuredLive: number;
  readonly heldLong: number;
  readonly measuredLong: number;
  readonly heldOut: number;
  readonly residentOut: number;
  readonly floor: number;
  /** Of the whole process, in the order in which it was looked at: what resident memory keeps is no session's. */
  readonly process: readonly Moment[];
}

/** Megabytes. */
interface Moment {
  readonly when: string;
  readonly resident: number;
  readonly committed: number;
  readonly threads: number;
  readonly held: number;
}

interface Looked {
  readonly held: number;
  readonly committed: number;
  readonly threads: number;
  readonly resident: number;
  readonly live: number;
  readonly measured: number;
}

function momentOf(when: string, { resident, committed, threads, held }: Looked): Moment {
  const mb = (bytes: number) => bytes / 1e6;
  return { when, resident: mb(resident), committed: mb(committed), threads: mb(threads), held: mb(held) };
}

/** What the process has at each moment of a round, after collection; what is resident, also after the rest. */
function processNotes(moments: readonly Moment[]): readonly string[] {
  const told = moments.map(({ when, resident, committed, threads, held }) => {
    const figures = [resident, committed, held, threads].map((value) => value.toFixed(0));
    return `${when} ${figures.join(" / ")}`;
  });
  return [
    `The whole process, MB resident / taken by V8 for the main thread / held in it / taken by V8 for other threads: ${told.join("; ")}.`,
  ];
}

const off = (ratio: number) => Math.abs(ratio - 1);

async function floor(): Promise<number> {
  const script = join(import.meta.dirname, "support/memory/floor.ts");
  const child = fork(script, [String(sessions), String(turns)], { execArgv: ["--expose-gc"] });
  const [bytes] = (await once(child, "message")) as [number];
  await once(child, "exit");
  return bytes;
}

async function fill(api: Api, count: number, turnsOfEach: number): Promise<void> {
  let left = count;
  const one = async () => {
    while (left-- > 0) {
      const session = await openSession(api, "at-once");
      for (let turn = 0; turn < turnsOfEach; turn++) await session.turn();
      await session.close();
    }
  };
  await Promise.all(Array.from({ length: concurrent }, one));
}

async function measure(round: number, modelPort: number): Promise<Figures> {
  const own = join(folder, String(round));
  mkdirSync(own);
  const probe = probed(own);
  const server = await startBerth({
    data: join(own, "data"),
    config: {
      providers: [{ name: "double", kind: "openai-compatible", baseUrl: `http://127.0.0.1:${modelPort}/v1` }],
      // All of them stay in memory until they are asked to leave.
      activationMaxSessions: 2 * sessions + 1_000,
      activationMemoryLimit: "64GiB",
      rateLimits: false,
    },
    ...probe.start,
  });
  try {
    const api = apiOf(server, agent);
    await api.post("/api/v1/agents", JSON.stringify({ name: "at-once", model: "double/at-once", tools: [] }));
    const look = async (): Promise<Looked> => {
      const { heldBytes, committedBytes, threadBytes } = await probe.ask();
      // V8 keeps pages that a collection freed, and its young generation, for some 8 seconds: right after it 409 MB were resident, then
      // 197, which made sessions look like 5 KB in one run and 14 in the next.
      await sleep(restSeconds * 1_000);
      const residentBytes = residentMb(server.pid).all * 1e6;
      // On a busy machine that takes longer than the server keeps idle connections.
      agent.destroy();
      const { live, memory } = await api.get<RuntimeStats>("/api/v1/runtime/stats");
      const taken = { committed: committedBytes, threads: threadBytes, resident: residentBytes };
      return { held: heldBytes, ...taken, live, measured: memory.sessionBytes };
    };
    const putOut = async () => {
      await api.post("/api/v1/runtime/cleanup", "");
      const out = await look();
      if (out.live > 0) throw new Error(`${out.live} sessions did not leave`);
      return out;
    };
    const bringIn = async (count: number, turnsOfEach: number) => {
      await fill(api, count, turnsOfEach);
      const looked = await look();
      if (looked.live < count) throw new Error(`only ${looked.live} of ${count} sessions are live`);
      return looked;
    };
    // What the first turns make the server load and compile is no session's, nor is V8's young generation, which many turns at once make
    // as large as it gets: 57 MB resident after 1,280 turns, 113 after 6,500. Few sessions take them: pages that many had held would
    // stay resident when they have left, and make those of the others look like nothing.
    await fill(api, concurrent, Math.ceil((Math.min(sessions, 2_000) * turns) / concurrent));
    const before = await putOut();
    const live = await bringIn(sessions, turns);
    const out = await putOut();
    const liveLong = await bringIn(longSessions, long);
    const outLong = await putOut();
    return {
      // What they held is what was free when they had left: what the server compiles meanwhile is not theirs.
      heldLive: (live.held - out.held) / sessions,
      // Never less than they hold: pages that were resident before and free take some of them without a trace.
      residentLive: Math.max(live.resident - before.resident, live.held - out.held) / sessions,
      measuredLive: live.measured / sessions,
      heldLong: (liveLong.held - outLong.held) / longSessions,
      measuredLong: liveLong.measured / longSessions,
      heldOut: (out.held - before.held) / sessions,
      residentOut: (out.resident - before.resident) / sessions,
      floor: await floor(),
      process: Object.entries({
        "before them": before,
        live,
        "put out": out,
        "the long ones live": liveLong,
        "put out again": outLong,
      }).map(([when, looked]) => momentOf(when, looked)),
    };
  } finally {
    await server.stop();
  }
}

const model = await startChild(join(import.meta.dirname, "support/turns/model-double.ts"));
try {
  const where = about();
  const figures: Figures[] = [];
  for (let round = 0; round < rounds; round++) figures.push(await measure(round, model.port));
  const of = (key: Exclude<keyof Figures, "process">) => median(figures.map((one) => one[key]));
  const kb = (key: Exclude<keyof Figures, "process">) => (of(key) / 1_000).toFixed(2);
  const ratio = of("heldLive") / of("measuredLive");
  const ratioLong = of("heldLong") / of("measuredLong");
  tell({
    about: where,
    settings: `${sessions} sessions of ${2 * turns} messages, ${concurrent} at once, ${rounds} rounds, medians, after garbage collection and ${restSeconds} s of rest; ${longSessions} sessions of ${2 * long} messages`,
    results: figures,
    rows: [
      ["KB for each session", "heap and external", "resident", "measured by the cache", "heap to measured"],
      ["plain objects", kb("floor"), "-", "-", "-"],
      ["live and idle", kb("heldLive"), kb("residentLive"), kb("measuredLive"), ratio.toFixed(2)],
      [`with ${2 * long} messages`, kb("heldLong"), "-", kb("measuredLong"), ratioLong.toFixed(2)],
      ["put out", kb("heldOut"), "-", "0", "-"],
    ],
    verdicts: [
      { id: "T6", what: "KB resident, live", value: of("residentLive") / 1_000, target: 10, beyond: 5 },
      { id: "T6", what: "KB held, put out", value: of("heldOut") / 1_000, target: 0.1, beyond: null },
      { id: "T6", what: "heap off what the cache measured", value: off(ratio), target: 0.25, beyond: null },
      { id: "T6", what: "the same, long ones", value: off(ratioLong), target: 0.25, beyond: null },
    ],
    notes: processNotes(figures[0]?.process ?? []),
    options,
  });
} finally {
  agent.destroy();
  await model.stop();
  rmSync(folder, { recursive: true, force: true });
}
