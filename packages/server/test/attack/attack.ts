// npm run attack: every attack on sandboxes, over the API of real servers.
import { parseArgs } from "node:util";
import { endOnSignals, unlessInterrupted } from "../support/interruption/interruption.ts";
import { judge, type Result } from "./judge.ts";
import { rows } from "./rows/all.ts";
import { tableOf } from "./table.ts";
import type { Target } from "./target.ts";
import { type Mode, openBubblewrap, openRemote } from "./targets.ts";

const usage = `npm run attack -- [options]: every attack on sandboxes, over the API of real servers.
  --provider <p>   bubblewrap, remote or all (default all)
  --mode <m>       multi or single (default both)
  --only <a,b>     these attacks only
  --rootfs <dir>   what the sandboxes of provider bubblewrap see in the place of this machine's system
  --json           the results as JSON to standard output, the table to standard error
attacks: ${rows.map(({ id }) => id).join(", ")}`;

function optionsGiven() {
  try {
    return parseArgs({
      options: {
        provider: { type: "string", default: "all" },
        mode: { type: "string" },
        only: { type: "string" },
        rootfs: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(2);
  }
}

const values = optionsGiven();
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const openOwn = (mode: Mode) => openBubblewrap(mode, values.rootfs);
const targets: readonly { provider: string; mode: Mode; open: (mode: Mode) => Promise<Target> }[] = [
  { provider: "bubblewrap", mode: "multi", open: openOwn },
  { provider: "bubblewrap", mode: "single", open: openOwn },
  { provider: "remote", mode: "multi", open: openRemote },
];
const chosen = targets.filter(
  ({ provider, mode }) =>
    [provider, "all"].includes(values.provider) && (values.mode === undefined || values.mode === mode),
);
const only = values.only?.split(",");
const wanted = rows.filter(({ id }) => only === undefined || only.includes(id));
const unknown = only?.filter((id) => rows.every((row) => row.id !== id)) ?? [];
if (chosen.length === 0 || unknown.length > 0) {
  const nothing =
    unknown.length > 0 ? `There is no attack ${unknown.join(", ")}` : "There is no such provider and mode";
  console.error(`${nothing}.\n\n${usage}`);
  process.exit(2);
}

const results: Result[] = [];
let broken = false;
endOnSignals();
for (const { provider, mode, open } of chosen) await attack(`${provider}, ${mode}`, () => open(mode));
(values.json ? process.stderr : process.stdout).write(tableOf(results));
if (values.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
const bad = results.filter(({ verdict }) => verdict !== "held" && verdict !== "not expected");
process.exitCode = broken || bad.length > 0 ? 1 : 0;

/** A target that cannot be had is a failure and no skip. */
async function attack(name: string, open: () => Promise<Target>): Promise<void> {
  let target: Target;
  try {
    target = await open();
  } catch (error) {
    await unlessInterrupted();
    process.stderr.write(`${name} could not be attacked: ${String(error)}\n`);
    broken = true;
    return;
  }
  try {
    const { unavailable, isolation, label } = target.caps;
    process.stderr.write(`${target.name}: ${unavailable ?? label}\n`);
    if (unavailable !== undefined || isolation === "none") broken = true;
    if (unavailable !== undefined) return;
    for (const row of wanted) {
      const result = await judge(row, target);
      await unlessInterrupted();
      process.stderr.write(`${result.verdict.padEnd(12)} ${row.id} ${row.name} (${result.ms} ms)\n`);
      results.push(result);
    }
  } finally {
    await target.close();
  }
}
