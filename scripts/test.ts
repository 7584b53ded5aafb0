// npm test [-- <suite>...]: runs the suites in order, prints each one's time, and ends with "N passed, N failed".
import { suites } from "./suites.ts";
import { chromium, ensureInstalled, isolation } from "./system-packages.ts";

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`no suite "${unknown.join(", ")}"; there are: ${suites.map(({ name }) => name).join(", ")}`);
  process.exit(1);
}
const chosen = suites.filter(({ name }) => wanted.length === 0 || wanted.includes(name));

if (chosen.some(({ name }) => name === "browser")) ensureInstalled([chromium]);
if (chosen.some(({ name }) => name !== "check")) ensureInstalled(isolation);

const lines: string[] = [];
const failures: string[] = [];
let passed = 0;
let failed = 0;
for (const { name, run } of chosen) {
  console.log(`\n== ${name}`);
  const started = performance.now();
  const count = await run();
  passed += count.passed;
  failed += count.failed;
  failures.push(...(count.failures ?? []).map((failure) => `${name}: ${failure}`));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  lines.push(`${name.padEnd(12)} ${seconds.padStart(7)} s  ${count.passed} passed, ${count.failed} failed`);
}

console.log(`\n${lines.join("\n")}\n`);
if (failures.length > 0) console.log(`What failed:\n  ${failures.join("\n  ")}\n`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
