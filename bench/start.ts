// T15: how long `berth serve` takes until it is ready, and what it takes of memory at rest, beside a bare node:http server.
//   npm run bench -- start [--rounds 5] [--rest 15] [--json file] [--dir folder]
// First: the first start of a checkout, or after its sources changed, which builds the program. Later: every other one. Both on a
// new data folder, so that each start makes the database. V8 gives memory back some 8 s after a start.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { about } from "./support/about.ts";
import { startBerth } from "./support/berth-server.ts";
import { startChild } from "./support/child.ts";
import { median } from "./support/machine.ts";
import { readOptions } from "./support/options.ts";
import { makeFolder } from "./support/own-folder.ts";
import { cpuMs, residentMb } from "./support/process-use.ts";
import { tell } from "./support/tell.ts";

const options = readOptions({ rounds: 5, rest: 15 });
const { rounds, rest: restSeconds } = options;
const folder = makeFolder(options.dir);

interface Figures {
  readonly readyMs: number;
  /** CPU until it was ready and in the seconds after. Milliseconds. */
  readonly cpuMs: number;
  /** Resident, and of that its own; MB. */
  readonly rssMb: number;
  readonly ownMb: number;
}

async function atRest(pid: number, readyMs: number): Promise<Figures> {
  await sleep(restSeconds * 1_000);
  const { all, own } = residentMb(pid);
  return { readyMs, cpuMs: cpuMs(pid), rssMb: all, ownMb: own };
}

async function berth(data: string): Promise<Figures> {
  const server = await startBerth({ data });
  try {
    return await atRest(server.pid, server.readyMs);
  } finally {
    await server.stop();
  }
}

async function bare(): Promise<Figures> {
  const began = performance.now();
  const child = await startChild(join(import.meta.dirname, "support/bare-server.ts"));
  try {
    return await atRest(child.pid, performance.now() - began);
  } finally {
    await child.stop();
  }
}

try {
  const where = about();
  const figures: Record<"bare node" | "first" | "later", Figures[]> = {
    "bare node": [],
    first: [],
    later: [],
  };
  for (let round = 0; round < rounds; round++) {
    figures["bare node"].push(await bare());
    rmSync(join(import.meta.dirname, "../.tools/program/current"), { force: true });
    figures.first.push(await berth(join(folder, `first-${round}`)));
    figures.later.push(await berth(join(folder, `later-${round}`)));
  }
  const of = (name: keyof typeof figures, key: keyof Figures) => median(figures[name].map((one) => one[key]));
  const rows = (["bare node", "first", "later"] as const).map((name) => [
    name,
    `${of(name, "readyMs").toFixed(0)} ms`,
    `${of(name, "cpuMs").toFixed(0)} ms`,
    `${of(name, "rssMb").toFixed(0)} MB`,
    `${of(name, "ownMb").toFixed(0)} MB`,
  ]);
  tell({
    about: where,
    settings: `${rounds} interleaved rounds, medians, memory ${restSeconds} s after it was ready, files in ${options.dir}`,
    results: figures,
    rows: [["start", "ready in", "CPU", "resident", "of it its own"], ...rows],
    verdicts: [
      { id: "T15", what: "ready, ms, later starts", value: of("later", "readyMs"), target: 700, beyond: 400 },
      { id: "T15", what: "MB resident at rest", value: of("later", "rssMb"), target: 110, beyond: 80 },
    ],
    options,
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
