// T15: how long `berth serve` takes until it is ready, and what it takes of memory at rest, beside a bare node:http server.
//   npm run bench -- start [--rounds 5] [--rest 15] [--json] [--dir folder]
// First: the first start of a checkout, or after its sources changed, which builds the program. Later: every other one. Both on a
// new data folder, so that each start makes the database. V8 gives memory back some 8 s after a start.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { about, aboutLines } from "./support/about.ts";
import { startBerth } from "./support/berth-server.ts";
import { startChild } from "./support/child.ts";
import { median } from "./support/machine.ts";
import { cpuMs, residentMb } from "./support/process-use.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    rest: { type: "string", default: "15" },
    json: { type: "boolean", default: false },
    dir: { type: "string", default: tmpdir() },
  },
});
const [rounds, restSeconds] = [Number(values.rounds), Number(values.rest)];
const folder = mkdtempSync(join(values.dir, "berth-bench-"));

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
  const medians = Object.entries(figures).map(([name, all]) => {
    const of = (key: keyof Figures) => median(all.map((one) => one[key]));
    return { name, readyMs: of("readyMs"), cpuMs: of("cpuMs"), rssMb: of("rssMb"), ownMb: of("ownMb") };
  });
  const settings = `${rounds} interleaved rounds, medians, memory ${restSeconds} s after it was ready, files in ${values.dir}`;
  if (values.json) console.log(JSON.stringify({ about: where, settings, results: medians }, null, 2));
  else {
    console.log(`${aboutLines(where)}\nsettings: ${settings}\n`);
    for (const { name, readyMs, cpuMs: cpu, rssMb, ownMb } of medians) {
      const memory = `${rssMb.toFixed(0)} MB resident, ${ownMb.toFixed(0)} MB of it its own`;
      console.log(
        `${name.padEnd(10)} ready in ${readyMs.toFixed(0)} ms (${cpu.toFixed(0)} ms CPU)  ${memory}`,
      );
    }
    console.log("\nT15 targets: ready in 700 ms, 110 MB; beyond them 400 ms, 80 MB");
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
