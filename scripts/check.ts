// npm run check: everything that is decided without running the program.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = (path: string): string => join(root, "node_modules", path);
const sources = ["packages", "scripts", "bench", "examples"].filter((folder) =>
  existsSync(join(root, folder)),
);

const steps: readonly (readonly [name: string, script: string, ...args: string[]])[] = [
  ["types", bin("typescript-7/bin/tsc"), "--project", "tsconfig.json"],
  ["lint", bin("oxlint/bin/oxlint")],
  ["format", bin("oxfmt/bin/oxfmt"), "--check"],
  // Reads TypeScript with the JavaScript API of TypeScript 6; version 7 has none.
  ["import rules", bin("dependency-cruiser/bin/dependency-cruiser.mjs"), ...sources],
  ["unused code", bin("knip/bin/knip.js"), "--treat-config-hints-as-errors"],
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
