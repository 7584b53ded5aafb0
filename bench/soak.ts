// npm run soak -- [--minutes 30] [--every 60] [--lives 24] [--json file] [--dir folder]
// A real server under a steady load over HTTP: sessions that come and go, streamed texts, tools, followers over SSE and WebSockets that
// are cut off and come back, evictions. Once in so many seconds the load is held, and the server is looked at when it is at rest: its heap
// after garbage collection has to stay within 5 % from minute 5 on, and handles, timers, open files and files must not grow. Ends with 1
// when that does not hold, or when anything went wrong under the load.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RuntimeStats } from "@berth/contract";
import { Checklist } from "../packages/server/test/chaos/checklist.ts";
import { followerRules } from "../packages/server/test/chaos/followers/follower.ts";
import { createRandom } from "../packages/server/test/chaos/random.ts";
import { sleep } from "../packages/server/test/chaos/sleep.ts";
import { bodyOf, type Door, send } from "../packages/server/test/support/server/api.ts";
import { about, aboutLines, load } from "./support/about.ts";
import { startBerth } from "./support/berth-server.ts";
import { startChild } from "./support/child.ts";
import { readOptions } from "./support/options.ts";
import { makeFolder } from "./support/own-folder.ts";
import { type Probed, probed } from "./support/probe/probe.ts";
import { Gate } from "./support/soak/gate.ts";
import { filesIn } from "./support/soak/files.ts";
import { type Counts, type Load, liveSessions, makeAgents, soakRules } from "./support/soak/load.ts";
import { judge, type Sample } from "./support/soak/verdict.ts";

const options = readOptions({ minutes: 30, every: 60, lives: 24 });
const { minutes, lives } = options;
/** Seconds; in a short run less, so that there is something to compare. */
const every = Math.min(options.every, minutes * 10);
/** Short runs show that the soak works, not that memory is flat. */
const settledMinute = Math.min(5, minutes / 3);
const folder = makeFolder(options.dir, "berth-soak-");
const data = join(folder, "data");
const temporary = join(folder, "tmp");
mkdirSync(temporary);

/** Connections of clients that have gone end on the server's side after its keep-alive time. */
const restMs = 6_000;

async function sample(door: Door, ask: () => Promise<Probed>, minute: number): Promise<Sample> {
  await sleep(restMs);
  const stats = bodyOf<RuntimeStats>(await send(door, { method: "GET", path: "/runtime/stats" }));
  const inside = await ask();
  const files = filesIn(data, alive);
  return {
    ...inside,
    minute,
    live: stats.live,
    evictions: stats.evictions ?? 0,
    files: files.rest,
    aliveFiles: files.alive,
    blobs: files.blobs,
    temporary: readdirSync(temporary, { recursive: true }).length,
  };
}

function line(one: Sample, counts: Counts): string {
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const kept = Object.entries(one.resources).map(([kind, count]) => `${kind} ${count}`);
  return [
    `minute ${one.minute.toFixed(1).padStart(5)}: heap ${mb(one.heldBytes)}, resident ${mb(one.residentBytes)}`,
    `${one.live} live, ${one.evictions} evictions`,
    `${counts.sessions} sessions, ${counts.turns} turns, ${counts.events} events, ${counts.reconnects} reconnects`,
    `${one.openFiles} open files, ${one.timers} timers, ${one.files} files and ${one.aliveFiles} of sessions that are there, ${one.temporary} temporary, ${one.blobs} blobs`,
    kept.join(", "),
  ].join("; ");
}

/** Lines that the server wrote about what it did not expect. */
function complaints(): readonly string[] {
  const lines = readFileSync(join(data, "log.jsonl"), "utf8").split("\n");
  return lines.filter((text) => /"level":"(error|fatal)"|"level":[56]0/.test(text));
}

const model = await startChild(join(import.meta.dirname, "support/turns/model-double.ts"));
const probe = probed(folder, { timers: true });
const server = await startBerth({
  data,
  config: {
    providers: [
      { name: "scripted", kind: "scripted" },
      { name: "double", kind: "openai-compatible", baseUrl: `http://127.0.0.1:${model.port}/v1` },
    ],
    rateLimits: false,
    sandbox: "local-process",
    // Fewer than there are: sessions are put out and come back all the time.
    activationMaxSessions: Math.max(4, Math.floor(lives / 2)),
    activationCheckInterval: "1s",
    activationIdleTtl: "2s",
  },
  ...probe.start,
  env: { ...probe.start.env, TMPDIR: temporary },
});
const alive = new Set<string>();
const counts: Counts = { sessions: 0, turns: 0, events: 0, reconnects: 0 };
const checklist = new Checklist();
const samples: Sample[] = [];
const ending = new AbortController();
try {
  const where = about();
  const door: Door = { url: server.url, apiKey: server.adminKey };
  checklist.expectCases(...Object.values(soakRules), followerRules.order);
  await makeAgents(door);
  const gate = new Gate();
  const random = createRandom("soak");
  const work: Load = { door, gate, checklist, signal: ending.signal, counts, alive };
  const began = performance.now();
  const minuteNow = () => (performance.now() - began) / 60_000;
  const failed = Promise.withResolvers<never>();
  const working = Array.from({ length: lives }, (_, i) =>
    gate.work(() => liveSessions(work, random.branch(`life ${i}`))).catch(failed.reject),
  );
  console.log(`${aboutLines(where)}\n${lives} sessions at a time, held every ${every} s`);
  const watch = async () => {
    while (minuteNow() < minutes) {
      await sleep(Math.min(every * 1_000, (minutes - minuteNow()) * 60_000));
      await gate.hold();
      const one = await sample(door, () => probe.ask(), minuteNow());
      samples.push(one);
      console.log(line(one, counts));
      gate.release();
    }
  };
  await Promise.race([watch(), failed.promise]);
  ending.abort();
  await Promise.all(working);
  const said = complaints();
  checklist.check("the server complains of nothing", said.length === 0, () => said.slice(0, 5).join("\n"));
  const judged = judge(samples, settledMinute);
  const ok = judged.every((one) => one.ok) && checklist.failed === 0;
  if (options.json !== null) {
    const told = { about: where, loadAtEnd: load(), samples, counts, judged, ok };
    writeFileSync(options.json, `${JSON.stringify(told, null, 2)}\n`);
  }
  for (const { what, told, ok: holds } of judged) console.log(`${holds ? "ok  " : "FAIL"} ${what}: ${told}`);
  for (const text of checklist.lines()) console.log(text);
  const short = minutes < 30 ? ", but so short a one says little: --minutes 30" : "";
  console.log(`${ok ? "the soak holds" : "THE SOAK DOES NOT HOLD"}${short}`);
  process.exitCode = ok ? 0 : 1;
} finally {
  ending.abort();
  await server.stop();
  await model.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
