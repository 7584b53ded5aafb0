// npm run check: everything that is decided without running the program.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(import.meta.dirname, "..");
/** A tool's script, relative to a file that its package exports. */
const bin = (exported: string, path: string): string => fileURLToPath(new URL(path, exported));
const sources = ["packages", "scripts", "bench", "examples"].filter((folder) =>
  existsSync(join(root, folder)),
);

const steps: readonly (readonly [name: string, script: string, ...args: string[]])[] = [
  ["types", bin(import.meta.resolve("typescript-7/package.json"), "./bin/tsc"), "--project", "tsconfig.json"],
  ["lint", bin(import.meta.resolve("oxlint/package.json"), "./bin/oxlint")],
  ["format", bin(import.meta.resolve("oxfmt/package.json"), "./bin/oxfmt"), "--check"],
  // Reads TypeScript with the JavaScript API of TypeScript 6; version 7 has none.
  [
    "import rules",
    bin(import.meta.resolve("dependency-cruiser"), "../../bin/dependency-cruiser.mjs"),
    ...sources,
  ],
  ["unused code", bin(import.meta.resolve("knip"), "../bin/knip.js")],
];

/** Runs all steps, prints what the failing ones say, and counts. */
export function check(): { passed: number; failed: number } {
  let failed = 0;
  for (const [name, ...args] of steps) {
    const started = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
    if (status !== 0) {
      failed += 1;
      console.log(`${stdout}${stderr}`.trimEnd());
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${status === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
  }
  return { passed: steps.length - failed, failed };
}

if (import.meta.main) process.exitCode = check().failed > 0 ? 1 : 0;
