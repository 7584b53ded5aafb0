// npm run attack [-- --id SBX-08] [--target NAME] [--json FILE]: every attack on sandboxes, over the API of real servers.
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { endServers } from "../support/server/server-process.ts";
import { openApiTarget } from "./api-target.ts";
import { judge, type Result } from "./judge.ts";
import { openBubblewrapPort } from "./open-bubblewrap.ts";
import { rows } from "./rows/all.ts";
import { tableOf } from "./table.ts";
import type { Target } from "./target.ts";

const bubblewrap = { BERTH_SANDBOX: "bubblewrap" };
const targets: Readonly<Record<string, () => Promise<Target>>> = {
  multi: () => openApiTarget({ name: "bubblewrap, multi", mode: "multi", settings: bubblewrap }),
  single: () => openApiTarget({ name: "bubblewrap, single", mode: "single", settings: bubblewrap }),
  port: openBubblewrapPort,
};

const { values } = parseArgs({
  options: {
    id: { type: "string", multiple: true },
    target: { type: "string", multiple: true },
    json: { type: "string" },
  },
});

const results: Result[] = [];
let broken = false;
try {
  for (const name of values.target ?? ["multi", "single"]) await attack(name);
} finally {
  endServers();
}
process.stdout.write(tableOf(results));
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`);
const bad = results.filter(({ verdict }) => verdict !== "held" && verdict !== "not expected");
process.exitCode = broken || bad.length > 0 ? 1 : 0;

async function attack(name: string): Promise<void> {
  const open = targets[name];
  if (open === undefined) {
    process.stderr.write(`There is no target ${name}. There are: ${Object.keys(targets).join(", ")}.\n`);
    broken = true;
    return;
  }
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
    // Nothing is expected of what does not isolate: where it has to, that is a failure and no skip.
    if (unavailable !== undefined || (process.env["CI"] === "true" && isolation === "none")) broken = true;
    if (unavailable !== undefined) return;
    for (const row of rows) {
      if (values.id !== undefined && !values.id.includes(row.id)) continue;
      const result = await judge(row, target);
      process.stderr.write(`${result.verdict.padEnd(12)} ${row.id} ${row.name} (${result.ms} ms)\n`);
      results.push(result);
    }
  } finally {
    await target.close();
  }
}
