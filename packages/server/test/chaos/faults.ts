// npm run faults: kills, cuts and starves a real server, and checks that nothing is lost, doubled or wrong.
import { randomBytes } from "node:crypto";
import { failpoints } from "../../src/lib/failpoint.ts";
import { endOnSignals, interrupted, unlessInterrupted } from "../support/interruption/interruption.ts";
import { Checklist } from "./checklist.ts";
import { diskPart } from "./disk/disk.ts";
import { killsPart } from "./kill-loop/part.ts";
import { createRig, type Rig, type RigOptions } from "./kill-loop/rig.ts";
import { modelsPart } from "./models/model-faults.ts";
import { type FaultsOptions, type Part, readOptions, usage } from "./options.ts";
import type { RunPart } from "./part.ts";
import { proveSandboxesPart } from "./prove/prove-sandboxes.ts";
import { provePart } from "./prove/prove.ts";
import { restorePart } from "./restore/restore.ts";
import { sandboxesPart } from "./sandboxes/sandboxes.ts";
import { reconnectsPart } from "./reconnects/reconnects.ts";
import { createRandom } from "./random.ts";

interface Named {
  readonly name: string;
  readonly title: string;
  readonly run: RunPart;
}

const runs: Readonly<Record<Part, Omit<Named, "name">>> = {
  kills: { title: "the kill loop", run: killsPart },
  restore: { title: "a backup of a busy server, its kill, and what a restore gives back", run: restorePart },
  reconnects: { title: "followers that are cut off", run: reconnectsPart },
  models: { title: "model endpoints that go wrong", run: modelsPart },
  disk: { title: "disks that are full, read-only or slow, and two servers on one folder", run: diskPart },
  sandboxes: { title: "servers that are killed while sandboxes live", run: sandboxesPart },
};

/** By the part whose rules have to find something. */
const proofs: Readonly<Partial<Record<Part, Named>>> = {
  kills: { name: "prove", title: "the kill loop on a server without the start mark", run: provePart },
  sandboxes: {
    name: "prove-sandboxes",
    title: "the rules about sandboxes on servers that leave things behind or lose them",
    run: proveSandboxesPart,
  },
};

interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

async function faults(options: FaultsOptions): Promise<Count> {
  const wanted = options.prove
    ? options.only.flatMap((name) => proofs[name] ?? [])
    : options.only.map((name) => ({ name, ...runs[name] }));
  // The short run has two lanes: a kill loop waits for starting servers most of the time.
  const isKills = ({ name }: Named) => name === "kills";
  const lanes = options.short ? [wanted.filter(isKills), wanted.filter((part) => !isKills(part))] : [wanted];
  const counts = await Promise.all(lanes.map((parts) => lane(options, parts)));
  return sum(counts.flat());
}

async function lane(options: FaultsOptions, parts: readonly Named[]): Promise<readonly Count[]> {
  const counts: Count[] = [];
  for (const part of parts) counts.push(await runPart(options, part));
  return counts;
}

function sum(counts: readonly Count[]): Count {
  const add = (a: Count, b: Count): Count => ({
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  });
  return counts.reduce(add, { passed: 0, failed: 0, skipped: 0 });
}

/** Runs one part and tells how it went: at once, or all together at its end when another part runs beside it. */
async function runPart(options: FaultsOptions, { name, title, run }: Named): Promise<Count> {
  const { seed, short, keep } = options;
  const checklist = new Checklist();
  const held: string[] = [];
  const print = (line: string) => (short ? void held.push(line) : console.log(line));
  const rigs: Rig[] = [];
  const rig = (wanted: RigOptions) => {
    const made = createRig(wanted);
    rigs.push(made);
    return made;
  };
  const started = performance.now();
  print(`\n== ${title} (seed ${seed})`);
  const scene = { options, checklist, rig, random: createRandom(`${seed}/${name}`) };
  const say = (line: string) => {
    if (!interrupted.aborted) print(`  ${line}`);
  };
  await run({ ...scene, say }).catch((thrown: unknown) => {
    const story = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    checklist.violated("the part ran to its end", story);
  });
  await unlessInterrupted();
  for (const line of checklist.lines()) print(line);
  const { passed, failed, skipped } = checklist;
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  print(`  ${failed === 0 ? "ok" : "FAILED"} in ${seconds} s, seed ${seed}`);
  if (failed > 0 || keep) {
    for (const { folder } of rigs) print(`  data, logs of sessions and of the server: ${folder}`);
    for (const each of rigs) each.keep();
  } else for (const each of rigs) await each.remove();
  for (const line of held) console.log(line);
  return { passed, failed, skipped };
}

function optionsGiven(): FaultsOptions {
  try {
    return readOptions(process.argv.slice(2), randomBytes(4).toString("hex"));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(2);
  }
}

const options = optionsGiven();
if (options.help) console.log(usage);
else if (options.list) console.log(failpoints.join("\n"));
else {
  endOnSignals();
  const { passed, failed, skipped } = await faults(options);
  console.log(skipped === 0 ? "" : `\n${skipped} not checked: see above why`);
  console.log(`${passed} passed, ${failed} failed`);
  // A part that failed may have left a server, which ends with this process; what one that passed leaves open is to be seen.
  if (failed > 0) process.exit(1);
}
