// Whether it costs more to be one of many organizations: listing and opening sessions on a server with one organization of 100 people,
// and on one with 1,000 of them, in the same run.
//   npm run bench -- orgs [--orgs 1000] [--users 100] [--sessions 2] [--requests 2000] [--rounds 5] [--json file] [--dir folder]
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { about } from "./support/about.ts";
import { type BerthServer, startBerth } from "./support/berth-server.ts";
import { median } from "./support/machine.ts";
import { readOptions } from "./support/options.ts";
import { makeFolder } from "./support/own-folder.ts";
import { type Caller, seed } from "./support/orgs/seed.ts";
import { cpuMs } from "./support/process-use.ts";
import { tell } from "./support/tell.ts";

const options = readOptions({ orgs: 1_000, users: 100, sessions: 2, requests: 2_000, rounds: 5 });
const { orgs, users: usersPerOrg, sessions: sessionsPerUser, requests, rounds } = options;
const concurrency = 16;
const folder = makeFolder(options.dir);

interface Side {
  readonly name: string;
  readonly server: BerthServer;
  readonly callers: readonly Caller[];
  readonly pool: Pool;
}

interface Figures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU of the server for one request, milliseconds. */
  readonly cpu: number;
}

const asks: Readonly<Record<string, (caller: Caller) => string>> = {
  "list sessions": () => "/api/v1/sessions?limit=20",
  "open a session": ({ sessionId }) => `/api/v1/sessions/${sessionId}`,
  "read its log": ({ sessionId }) => `/api/v1/sessions/${sessionId}/events?after=0&limit=100`,
};

async function open(name: string, count: number): Promise<Side> {
  const data = join(folder, name);
  const began = performance.now();
  const callers = await seed({ data, orgs: count, usersPerOrg, sessionsPerUser, callers: 100 });
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  console.error(
    `${name}: ${count * usersPerOrg} people with ${count * usersPerOrg * sessionsPerUser} sessions, made in ${seconds} s`,
  );
  // What is measured is the way to the rows, not the limits that hold one caller back.
  const server = await startBerth({ data, config: { rateLimits: false } });
  await atRest(server.pid);
  return { name, server, callers, pool: new Pool(server.url, { connections: concurrency }) };
}

/** A server that has just started seals the audit entries of what was made: that is no request's cost. */
async function atRest(pid: number): Promise<void> {
  for (let before = cpuMs(pid); ;) {
    await sleep(1_000);
    const now = cpuMs(pid);
    if (now - before < 60) return;
    before = now;
  }
}

async function measure({ pool, callers, server }: Side, path: (caller: Caller) => string): Promise<Figures> {
  const times: number[] = [];
  let next = 0;
  const before = cpuMs(server.pid);
  const worker = async () => {
    for (let at = next++; at < requests; at = next++) {
      const caller = callers[at % callers.length];
      if (caller === undefined) throw new Error("nobody calls");
      const began = performance.now();
      const { statusCode, body } = await pool.request({
        method: "GET",
        path: path(caller),
        headers: { authorization: `Bearer ${caller.key}` },
      });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`${path(caller)} answered ${statusCode}: ${text}`);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const sorted = times.toSorted((a, b) => a - b);
  return {
    p50Ms: median(times),
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    cpu: (cpuMs(server.pid) - before) / requests,
  };
}

const where = about();
const sides = [await open("one org", 1), await open(`${orgs} orgs`, orgs)];
try {
  const found = new Map<string, Figures[]>();
  for (let round = -1; round < rounds; round++) {
    for (const [ask, path] of Object.entries(asks)) {
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        const figures = await measure(side, path);
        // The first round warms up.
        if (round >= 0)
          found.set(`${ask}/${side.name}`, [...(found.get(`${ask}/${side.name}`) ?? []), figures]);
      }
    }
  }
  const of = (ask: string, name: string, key: keyof Figures) =>
    median((found.get(`${ask}/${name}`) ?? []).map((figures) => figures[key]));
  const [one, many] = [sides[0]?.name ?? "", sides[1]?.name ?? ""];
  const ratio = (ask: string, key: keyof Figures) => of(ask, many, key) / of(ask, one, key);
  tell({
    about: where,
    settings: `${orgs} orgs x ${usersPerOrg} people x ${sessionsPerUser} sessions, ${requests} requests of 100 callers at ${concurrency} at once, ${rounds} interleaved rounds, medians`,
    results: Object.fromEntries(found),
    rows: [
      ["request", "server", "p50 ms", "p99 ms", "CPU ms"],
      ...Object.keys(asks).flatMap((ask) =>
        sides.map(({ name }) => {
          const cpu = of(ask, name, "cpu").toFixed(3);
          return [ask, name, of(ask, name, "p50Ms").toFixed(2), of(ask, name, "p99Ms").toFixed(2), cpu];
        }),
      ),
    ],
    verdicts: Object.keys(asks).flatMap((ask) => [
      { id: "", what: `${ask}, p50`, value: ratio(ask, "p50Ms"), target: 1.3, beyond: null },
      { id: "", what: `${ask}, CPU`, value: ratio(ask, "cpu"), target: 1.3, beyond: null },
    ]),
    options,
  });
} finally {
  for (const { server, pool } of sides) {
    await pool.close();
    await server.stop();
  }
  rmSync(folder, { recursive: true });
}
