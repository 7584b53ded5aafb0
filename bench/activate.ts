// T7: how long a new process takes to open a session of 200 and of 4,000 messages: the newest snapshot and the log after it, read and
// folded, as the server itself measures it. After a stop there is a snapshot of all of it; after a crash the events of some turns come
// after it (a snapshot is taken every 200 events). Beside it, in a new process too: the same rows read and parsed.
//   npm run bench -- activate [--short 200] [--long 4000] [--sessions 6] [--rounds 5] [--window 8000] [--tail 20] [--json file]
//     [--dir folder]
import { fork } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LiveSession } from "@berth/contract";
import { about } from "./support/about.ts";
import { type Api, apiOf } from "./support/api.ts";
import { startBerth } from "./support/berth-server.ts";
import { startChild } from "./support/child.ts";
import { median } from "./support/machine.ts";
import { readOptions } from "./support/options.ts";
import { makeFolder } from "./support/own-folder.ts";
import { tell } from "./support/tell.ts";
import { followSession, openSession } from "./support/turns/berth.ts";
import { question } from "./support/turns/direct.ts";

const options = readOptions({ short: 200, long: 4_000, sessions: 6, rounds: 5, window: 8_000, tail: 20 });
const { sessions, rounds, window, tail } = options;
const lengths = { short: options.short, long: options.long } as const;
type Length = keyof typeof lengths;
const ends = ["stop", "kill"] as const;
type End = (typeof ends)[number];

const folder = makeFolder(options.dir);
const data = join(folder, "data");
const agent = new Agent({ keepAlive: true });
const model = await startChild(join(import.meta.dirname, "support/counting-model.ts"), [String(window)]);
const baseUrl = `http://127.0.0.1:${model.port}/v1`;
const models = [{ name: "counting", contextWindow: window }];
const providers = [{ name: "double", kind: "openai-compatible", baseUrl, models }];
const config = { providers, rateLimits: false };

type Ids = Readonly<Record<Length, readonly string[]>>;

async function make(): Promise<Ids> {
  const server = await startBerth({ data, config });
  try {
    const api = apiOf(server, agent);
    await api.post("/api/v1/agents", JSON.stringify({ name: "talker", model: "double/counting", tools: [] }));
    const grow = async (messages: number) => {
      const session = await openSession(api, "talker");
      for (let turn = 0; turn < messages / 2; turn++) await session.turn();
      await session.close();
      return session.id;
    };
    const all = (messages: number) => Promise.all(Array.from({ length: sessions }, () => grow(messages)));
    return { short: await all(lengths.short), long: await all(lengths.long) };
  } finally {
    await server.stop();
  }
}

/** What the server says that it took to open each; a message opens it. */
async function openAll(api: Api, ids: readonly string[]): Promise<readonly number[]> {
  const times: number[] = [];
  for (const id of ids) {
    const body = JSON.stringify({ events: [{ type: "user.message", content: question }] });
    await api.post(`/api/v1/sessions/${id}/events`, body);
    times.push(await opened(api, id));
  }
  return times;
}

async function opened(api: Api, id: string): Promise<number> {
  for (const until = performance.now() + 30_000; performance.now() < until;) {
    const { items } = await api.get<{ items: readonly LiveSession[] }>("/api/v1/runtime/sessions");
    const found = items.find(({ sessionId, status }) => sessionId === id && status === "idle");
    if (found !== undefined) return found.initMs;
    await sleep(5);
  }
  throw new Error(`session ${id} was not opened`);
}

/** Milliseconds of one process: its first session, and the middle one of the rest. */
interface Times {
  readonly first: number;
  readonly later: number;
}

const timesOf = ([first = Number.NaN, ...later]: readonly number[]): Times => ({
  first,
  later: median(later),
});

async function bare(ids: readonly string[]): Promise<Times> {
  const script = join(import.meta.dirname, "support/activate/floor.ts");
  const child = fork(script, [join(data, "berth.db"), ...ids]);
  const [times] = (await once(child, "message")) as [number[]];
  await once(child, "exit");
  return timesOf(times);
}

async function ours(ids: readonly string[], end: End): Promise<Times> {
  const server = await startBerth({ data, config });
  try {
    const api = apiOf(server, agent);
    const times = timesOf(await openAll(api, ids));
    if (end === "kill") await Promise.all(ids.map((id) => talkOn(api, id)));
    return times;
  } finally {
    await server[end]();
  }
}

/** What a crash leaves after the newest snapshot. */
async function talkOn(api: Api, id: string): Promise<void> {
  const session = await followSession(api, id);
  for (let turn = 0; turn < tail; turn++) await session.turn();
  await session.close();
}

try {
  const where = about();
  const ids = await make();
  const found = new Map<string, Times[]>();
  const note = (key: string, times: Times) => found.set(key, [...(found.get(key) ?? []), times]);
  // The way in which the last process ended is what the next one finds.
  for (let round = 0; round < rounds; round++) {
    for (const length of ["short", "long"] as const) {
      for (const [end, next] of [
        ["stop", "kill"],
        ["kill", "stop"],
      ] as const) {
        note(`${length}/${end}/floor`, await bare(ids[length]));
        note(`${length}/${end}/berth`, await ours(ids[length], next));
      }
    }
  }
  const of = (key: string, which: keyof Times) => median((found.get(key) ?? []).map((times) => times[which]));
  const rows = (["short", "long"] as const).flatMap((length) =>
    ends.map((end) => {
      const figures = (["floor", "berth"] as const).flatMap((who) => {
        const key = `${length}/${end}/${who}`;
        return [of(key, "first").toFixed(2), of(key, "later").toFixed(2)];
      });
      return [String(lengths[length]), end === "stop" ? "a stop" : "a crash", ...figures];
    }),
  );
  const verdict = (length: Length, end: End, target: number, beyond: number) => ({
    id: "T7",
    what: `ms for ${lengths[length]} messages after a ${end}, first of its process`,
    value: of(`${length}/${end}/berth`, "first"),
    target,
    beyond,
  });
  tell({
    about: where,
    settings:
      `${sessions} sessions of each length, each opened in a new process, ${rounds} rounds, medians; a window of ` +
      `${window} tokens, ${tail} turns after the snapshot before a crash; files in ${options.dir}`,
    results: Object.fromEntries(found),
    rows: [["messages", "after", "floor, first ms", "later ms", "berth, first ms", "later ms"], ...rows],
    verdicts: ends.flatMap((end) => [verdict("short", end, 5, 2), verdict("long", end, 20, 8)]),
    options,
  });
} finally {
  agent.destroy();
  await model.stop();
  rmSync(folder, { recursive: true, force: true });
}
