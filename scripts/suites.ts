// The suites of `npm test` in their order. Each runs to its end and says how many of its tests passed and failed.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import {
  endOnSignals,
  unlessInterrupted,
} from "../packages/server/test/support/interruption/interruption.ts";
import { ownCommand } from "../packages/server/test/support/interruption/own-process.ts";
import { check } from "./check.ts";

export type Count = {
  readonly passed: number;
  readonly failed: number;
  /** What failed, by name, as far as the suite tells it. */
  readonly failures?: readonly string[];
};
export type Suite = { readonly name: string; readonly run: () => Promise<Count> };

const root = join(import.meta.dirname, "..");
const chaos = "packages/server/test/chaos/faults.ts";
const simulation = "packages/server/test/simulation/sim.ts";

/** Runs a Node script with our output as its own, and returns its exit code and what it printed. */
async function runNode(args: readonly string[], keep: boolean): Promise<{ code: number; output: string }> {
  endOnSignals({ quiet: true });
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ["ignore", keep ? "pipe" : "inherit", "inherit"],
  });
  ownCommand(child);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject).once("close", (status) => resolve(status ?? 1));
  });
  await unlessInterrupted();
  return { code, output };
}

/** A failure outside any test file (coverage, say) shows only in the exit code: it counts as one. */
function counted(count: Count, code: number): Count {
  if (code === 0 || count.failed > 0) return count;
  return {
    ...count,
    failed: 1,
    failures: [`its program ended with ${code} (no test failed: coverage, or a crash)`],
  };
}

type Report = {
  readonly numPassedTests: number;
  readonly testResults: readonly TestFile[];
};
type TestFile = {
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
};

/** A file that does not load, or fails in a hook or by a leak, counts as one failure beside its tests. */
function failuresOf(file: TestFile): string[] {
  const name = relative(root, file.name);
  const tests = file.assertionResults.filter(({ status }) => status === "failed");
  if (tests.length > 0) return tests.map(({ fullName }) => `${name}: ${fullName}`);
  return file.status === "failed" ? [`${name}: the file as a whole`] : [];
}

function vitest(name: string, ...options: string[]): Suite {
  const run = async (): Promise<Count> => {
    const report = join(root, "test-results", `${name}.json`);
    mkdirSync(join(root, "test-results"), { recursive: true });
    rmSync(report, { force: true });
    const runner = ["node_modules/vitest/vitest.mjs", "run", "--project", name];
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const { code } = await runNode([...runner, ...reporters, ...options], false);
    if (!existsSync(report)) return counted({ passed: 0, failed: 0 }, code);
    const json = JSON.parse(readFileSync(report, "utf8")) as Report;
    const failures = json.testResults.flatMap(failuresOf);
    return counted({ passed: json.numPassedTests, failed: failures.length, failures }, code);
  };
  return { name, run };
}

/** A script that prints "N passed, N failed" as a line of its own: each fault, or each seed, is one test. */
async function counting(...command: string[]): Promise<Count> {
  const { code, output } = await runNode(command, true);
  const line = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  if (!line) return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  return counted({ passed: Number(line[1]), failed: Number(line[2]) }, code);
}

export const suites: readonly Suite[] = [
  { name: "check", run: async () => check() },
  vitest("unit", "--coverage"),
  vitest("conformance"),
  vitest("integration"),
  vitest("alone"),
  vitest("browser"),
  { name: "simulation", run: () => counting(simulation, "--seeds", "300") },
  { name: "faults", run: () => counting(chaos, "--short") },
];
