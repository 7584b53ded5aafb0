// T9: appends of many sessions at once, every one durable, against a bare group-commit loop in the same run.
//   npm run bench -- appends [--sessions 64] [--bytes 300] [--seconds 2] [--rounds 5] [--json file] [--dir folder]
import { rmSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as turn } from "node:timers/promises";
import { systemClock } from "../packages/server/src/lib/clock.ts";
import { newId } from "../packages/server/src/lib/id.ts";
import { openSqliteStore } from "../packages/server/src/store/sqlite/sqlite-store.ts";
import { about } from "./support/about.ts";
import { median } from "./support/machine.ts";
import { readOptions } from "./support/options.ts";
import { makeFolder } from "./support/own-folder.ts";
import { tell } from "./support/tell.ts";

const options = readOptions({ sessions: 64, bytes: 300, seconds: 2, rounds: 5 });
const { sessions, bytes, seconds, rounds } = options;

interface Contender {
  readonly name: string;
  /** Appends until the deadline (performance.now()); returns how many. */
  run(deadline: number): Promise<number>;
  close(): Promise<void>;
}

function eventJson(seq: number, sessionId: string): string {
  const head = `{"seq":${seq},"type":"agent.message","sessionId":"${sessionId}","data":{"text":"`;
  return `${head}${"x".repeat(Math.max(0, bytes - head.length - 3))}"}}`;
}

/** The same rows, indexes and settings; one transaction after another on the main thread, and nothing around it. */
function bareLoop(folder: string): Contender {
  const db = new DatabaseSync(join(folder, "bare.db"));
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
    CREATE TABLE sessions (no INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, last_seq INTEGER NOT NULL) STRICT;
    CREATE TABLE log (id INTEGER PRIMARY KEY, log_no INTEGER NOT NULL, first_seq INTEGER NOT NULL,
      last_seq INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
    CREATE UNIQUE INDEX log_by_seq ON log (log_no, first_seq)`);
  const create = db.prepare("INSERT INTO sessions (no, epoch, last_seq) VALUES (?, 1, 0)");
  for (let no = 1; no <= sessions; no++) create.run(no);
  const [begin, commit] = [db.prepare("BEGIN IMMEDIATE"), db.prepare("COMMIT")];
  const fence = db.prepare("UPDATE sessions SET last_seq = ? WHERE no = ? AND epoch = 1 AND last_seq = ?");
  const insert = db.prepare("INSERT INTO log (log_no, first_seq, last_seq, body) VALUES (?, ?, ?, ?)");
  const sessionId = newId("session");
  let seq = 0;
  return {
    name: "bare loop",
    async run(deadline) {
      let appended = 0;
      for (; performance.now() < deadline; await turn()) {
        begin.run();
        for (let no = 1; no <= sessions; no++) {
          if (fence.run(seq + 1, no, seq).changes !== 1) throw new Error("fenced");
          insert.run(no, seq + 1, seq + 1, eventJson(seq + 1, sessionId));
        }
        commit.run();
        seq += 1;
        appended += sessions;
      }
      return appended;
    },
    async close() {
      db.close();
    },
  };
}

async function berth(folder: string): Promise<Contender> {
  const store = await openSqliteStore({ dataDir: join(folder, "berth"), clock: systemClock });
  const orgId = newId("org");
  const workerId = newId("worker");
  await store.system.heartbeat(workerId);
  const held = await Promise.all(
    Array.from({ length: sessions }, async () => {
      const sessionId = newId("session");
      const noUsage = {
        inputTokens: 0,
        outputTokens: 0,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
        reasoningTokens: 0,
      };
      const ownership = {
        agent: { id: newId("agent"), version: 1, name: "bench" },
        owner: "usr_1",
        key: null,
      };
      const rest = { title: null, metadata: {}, model: null, forkedFrom: null, usage: noUsage };
      const row = {
        orgId,
        id: sessionId,
        ...ownership,
        ...rest,
        status: "running",
        currentRunId: null,
      } as const;
      await store.org(orgId).createSession({ row, events: [] });
      const claim = await store.system.claim({
        orgId,
        sessionId,
        workerId,
        leaseMs: 60_000,
        knownEventVersion: 1,
      });
      if (!claim.ok) throw new Error(claim.reason);
      return { orgId, sessionId, epoch: claim.epoch, lastSeq: 0 };
    }),
  );
  return {
    name: "berth",
    async run(deadline) {
      const counts = held.map(async (session) => {
        let appended = 0;
        while (performance.now() < deadline) {
          const { sessionId, lastSeq } = session;
          const event = { seq: lastSeq + 1, type: "agent.message", json: eventJson(lastSeq + 1, sessionId) };
          const { orgId: org, epoch } = session;
          const commit = { orgId: org, sessionId, epoch, expectedSeq: lastSeq, events: [event], taken: [] };
          const outcome = await store.lane.append(commit);
          if (!outcome.ok) throw new Error(outcome.reason);
          session.lastSeq += 1;
          appended += 1;
        }
        return appended;
      });
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    },
    close: () => store.close(),
  };
}

interface Figures {
  readonly perSecond: number;
  readonly delayP99: number;
  readonly cpu: number;
}

async function measure(contender: Contender): Promise<Figures> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const cpu = process.threadCpuUsage();
  const start = performance.now();
  delay.enable();
  const appended = await contender.run(start + seconds * 1_000);
  delay.disable();
  const ms = performance.now() - start;
  const { user, system } = process.threadCpuUsage(cpu);
  // The histogram counts from one tick to the next: what is over its resolution of 1 ms is delay.
  const delayP99 = Math.max(0, delay.percentile(99) / 1e6 - 1);
  return { perSecond: (appended / ms) * 1_000, delayP99, cpu: (user + system) / appended };
}

const folder = makeFolder(options.dir);
try {
  const where = about();
  const contenders = [bareLoop(folder), await berth(folder)];
  const figures = new Map<string, Figures[]>(contenders.map(({ name }) => [name, []]));
  for (const contender of contenders) await contender.run(performance.now() + 300);
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) figures.get(contender.name)?.push(await measure(contender));
  }
  for (const contender of contenders) await contender.close();
  const of = (name: string, key: keyof Figures) => median((figures.get(name) ?? []).map((one) => one[key]));
  tell({
    about: where,
    settings:
      `${sessions} sessions, events of ${bytes} bytes, one per append, WAL, synchronous=FULL, ` +
      `${rounds} interleaved rounds of ${seconds} s, medians, files in ${options.dir}`,
    results: Object.fromEntries(figures),
    rows: [
      ["who", "appends/s", "main thread, CPU us per append", "event-loop delay p99"],
      ...contenders.map(({ name }) => [
        name,
        of(name, "perSecond").toFixed(0),
        of(name, "cpu").toFixed(1),
        `${of(name, "delayP99").toFixed(2)} ms`,
      ]),
    ],
    verdicts: [
      {
        id: "T9",
        what: "appends/s, of the bare loop",
        value: of("berth", "perSecond") / of("bare loop", "perSecond"),
        target: 0.75,
        beyond: 0.9,
        least: true,
      },
    ],
    options,
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
