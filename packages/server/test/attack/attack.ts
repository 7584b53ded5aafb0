// npm run attack [-- --provider bubblewrap|remote|all] [--mode single|multi] [--only SBX-08,SBX-09] [--rootfs FOLDER] [--json]: every attack
// on sandboxes, over the API of real servers. --rootfs: what the sandboxes of provider bubblewrap see in the place of this machine's system.
// The table goes to standard output, with --json to standard error and the results as JSON to standard output.
import { parseArgs } from "node:util";
import { endServers } from "../support/server/server-process.ts";
import { judge, type Result } from "./judge.ts";
import { rows } from "./rows/all.ts";
import { tableOf } from "./table.ts";
import type { Target } from "./target.ts";
import { type Mode, openBubblewrap, openRemote } from "./targets.ts";

const { values } = parseArgs({
  options: {
    provider: { type: "string", default: "all" },
    mode: { type: "string" },
    only: { type: "string" },
    rootfs: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

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
if (chosen.length === 0 || wanted.length === 0)
  process.stderr.write(
    `Nothing to attack. Providers: bubblewrap, remote, all. Modes: multi, single. Attacks: ${rows.map(({ id }) => id).join(",")}.\n`,
  );

const results: Result[] = [];
let broken = chosen.length === 0 || wanted.length === 0;
try {
  for (const { provider, mode, open } of chosen) await attack(`${provider}, ${mode}`, () => open(mode));
} finally {
  endServers();
}
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
      process.stderr.write(`${result.verdict.padEnd(12)} ${row.id} ${row.name} (${result.ms} ms)\n`);
      results.push(result);
    }
  } finally {
    await target.close();
  }
}
