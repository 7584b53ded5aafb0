// The first module of a build, the one that scripts/run starts: runs the program of the checkout as it is now.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isFresh } from "./inputs.ts";
import { nameSources } from "./name-sources.ts";

const build = import.meta.dirname;
const checkout = dirname(dirname(dirname(build)));

if (isFresh(build, checkout)) {
  nameSources(build);
  await import(new URL("main.mjs", import.meta.url).href);
} else {
  const { status } = spawnSync(process.execPath, [join(checkout, "scripts/program/build.ts")], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) process.exit(status ?? 1);
  // This process becomes the new build: signals and exit codes stay its own.
  const current = readFileSync(join(dirname(build), "current"), "utf8").trim();
  const start = join(dirname(build), current, "start.mjs");
  const { execPath, execArgv, argv, env } = process;
  const kept = { ...env, NODE_COMPILE_CACHE: join(dirname(start), "compiled") };
  process.execve?.(execPath, [execPath, ...execArgv, start, ...argv.slice(2)], kept);
}
