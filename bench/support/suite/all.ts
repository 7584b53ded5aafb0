import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  endOnSignals,
  unlessInterrupted,
} from "../../../packages/server/test/support/interruption/interruption.ts";
import { ownCommand } from "../../../packages/server/test/support/interruption/own-process.ts";
import { catalogue } from "./catalogue.ts";

export interface AllOptions {
  /** Folder for one JSON file of each bench. */
  readonly out: string;
  readonly peers: boolean;
  /** Runs that show that each bench works; their figures say nothing. */
  readonly quick: boolean;
  /** Folder in which the benches make their own. */
  readonly dir: string | undefined;
}

/** Runs every bench of the figures page, one after another, each in a process of its own. Resolves with the names of those that failed. */
export async function runAll({ out, peers, quick, dir }: AllOptions): Promise<readonly string[]> {
  endOnSignals({ quiet: true });
  mkdirSync(out, { recursive: true });
  const chosen = Object.entries(catalogue).filter(([, { figures }]) => figures);
  const failed: string[] = [];
  const began = performance.now();
  for (const [i, [name, bench]] of chosen.entries()) {
    const withPeers = peers && bench.peersMinutes !== undefined;
    const told = quick ? "" : `, about ${withPeers ? bench.peersMinutes : bench.minutes} min`;
    console.log(`\n=== ${i + 1} of ${chosen.length}: ${name}${told}; ${minutes(began)} so far`);
    const own = [
      ...(quick ? ["--quick"] : []),
      ...(withPeers ? ["--peers"] : []),
      ...(dir === undefined ? [] : ["--dir", dir]),
    ];
    const at = performance.now();
    const json = join(out, `${name}.json`);
    // A result of an earlier run must not stand for one that fails now.
    rmSync(json, { force: true });
    const ok = await run(name, [...own, "--json", json]);
    if (!ok) failed.push(name);
    console.log(`=== ${name} ${ok ? "took" : "FAILED after"} ${minutes(at)}`);
  }
  const verdict = failed.length === 0 ? "all ran" : `FAILED: ${failed.join(", ")}`;
  console.log(`\n=== ${verdict}; ${minutes(began)} in all; results in ${out}`);
  return failed;
}

async function run(name: string, options: readonly string[]): Promise<boolean> {
  const file = join(import.meta.dirname, "../..", `${name}.ts`);
  const child = spawn(process.execPath, [file, ...options], { stdio: ["ignore", "inherit", "inherit"] });
  ownCommand(child);
  const [code] = (await once(child, "close")) as [number | null];
  await unlessInterrupted();
  return code === 0;
}

function minutes(since: number): string {
  const seconds = Math.round((performance.now() - since) / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
