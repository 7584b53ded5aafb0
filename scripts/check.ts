// npm run check: everything that is decided without running the program.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const here = import.meta.url;
const bin = (manifest: string | undefined, path: string): string => join(dirname(manifest ?? ""), path);
const sources = ["packages", "scripts", "bench", "examples"].filter((folder) =>
  existsSync(join(root, folder)),
);

const steps: readonly (readonly [name: string, script: string, ...args: string[]])[] = [
  ["types", bin(findPackageJSON("typescript-7", here), "bin/tsc"), "--project", "tsconfig.json"],
  ["lint", bin(findPackageJSON("oxlint", here), "bin/oxlint")],
  ["format", bin(findPackageJSON("oxfmt", here), "bin/oxfmt"), "--check"],
  // Reads TypeScript with the JavaScript API of TypeScript 6; version 7 has none.
  [
    "import rules",
    bin(findPackageJSON("dependency-cruiser", here), "bin/dependency-cruiser.mjs"),
    ...sources,
  ],
  ["unused code", bin(findPackageJSON("knip", here), "bin/knip.js")],
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
