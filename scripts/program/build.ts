// Makes the program that ./berth and `npm start` run: one folder of plain JavaScript, named in .tools/program/current.
//   node scripts/program/build.ts
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { bundle } from "./bundle.ts";
import { type Inputs, inputsFile, stateOf } from "./inputs.ts";
import { removeOldBuilds } from "./old-builds.ts";

const checkout = join(import.meta.dirname, "../..");
const builds = join(checkout, ".tools/program");
/** What decides about a build besides the sources that it is made of. */
const others = [
  "package-lock.json",
  "node_modules/.package-lock.json",
  ...["contract", "client", "server"].map((name) => `packages/${name}/package.json`),
  ...["build", "bundle", "old-builds"].map((name) => `scripts/program/${name}.ts`),
];

async function make(build: string): Promise<void> {
  const inputs: Record<string, string> = {};
  const note = (file: string, state: string) => (inputs[relative(checkout, file)] ??= state);
  for (const file of others) note(join(checkout, file), stateOf(join(checkout, file)));
  const entries = ["scripts/program/start.ts", "packages/server/src/main.ts"].map((file) =>
    join(checkout, file),
  );
  for (const entry of entries) {
    for (const thread of await bundle({ build, entry, note }))
      if (!entries.includes(thread)) entries.push(thread);
  }
  writeFileSync(join(build, inputsFile), JSON.stringify(inputs satisfies Inputs));
}

/** Others may build at the same time: a build has a name of its own and becomes the current one whole. */
const began = performance.now();
const build = join(builds, `${Date.now().toString(36)}-${process.pid.toString(36)}`);
mkdirSync(builds, { recursive: true });
try {
  await make(build);
} catch (error) {
  rmSync(build, { recursive: true, force: true });
  console.error(`berth: the program cannot be built from its sources\n${String(error)}`);
  process.exit(1);
}
const named = join(build, "name");
writeFileSync(named, `${basename(build)}\n`);
renameSync(named, join(builds, "current"));
removeOldBuilds(builds, build);
console.error(
  `berth: built the program from its sources (${((performance.now() - began) / 1_000).toFixed(1)} s)`,
);
