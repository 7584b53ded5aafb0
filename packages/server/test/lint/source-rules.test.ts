// The rules of .oxlintrc.json that are ours, each with one planted violation, and where they do not hold.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../../../..");
const S = "packages/server/src";
const env = "export const home = process.env.HOME;\n";
const exit = "export const end = (): never => process.exit(1);\n";
const log = 'console.log("x");\n';
const long = Array.from({ length: 301 }, (_, line) => `export const line${line} = ${line};\n`).join("");
const longFunction = `export function f(): void {\n${"  void 0;\n".repeat(81)}}\n`;
const test = (call: string): string => `import { test } from "vitest";\n${call}("x", () => {});\n`;

const planted: readonly (readonly [rule: string, file: string, code: string])[] = [
  ["eslint(no-console)", `${S}/lib/log.ts`, log],
  ["node(no-process-env)", `${S}/lib/env.ts`, env],
  ["eslint(no-restricted-properties)", `${S}/lib/exit.ts`, exit],
  [
    "eslint(no-restricted-imports)",
    `${S}/lib/process.ts`,
    'import { pid } from "node:process";\nvoid pid;\n',
  ],
  ["import(no-default-export)", `${S}/lib/default.ts`, "export default 1;\n"],
  ["typescript(no-explicit-any)", `${S}/lib/any.ts`, "export const a = (b: any): unknown => b;\n"],
  ["eslint(max-lines)", `${S}/lib/long.ts`, long],
  ["eslint(max-lines-per-function)", `${S}/lib/function.ts`, longFunction],
  ["vitest(no-focused-tests)", `${S}/lib/only.test.ts`, test("test.only")],
  ["vitest(no-disabled-tests)", `${S}/lib/skip.test.ts`, test("test.skip")],
  ["typescript(no-floating-promises)", `${S}/lib/float.ts`, "Promise.reject(new Error());\n"],
];

const allowed: readonly (readonly [file: string, code: string])[] = [
  [`${S}/config/load.ts`, env],
  [`${S}/main.ts`, exit],
  [`${S}/cli/say.ts`, log],
  ["bench/turns.ts", log + env + exit],
];

type Diagnostic = { readonly code: string; readonly filename: string };

describe("the source rules", () => {
  const folder = mkdtempSync(join(tmpdir(), "berth-source-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  let found: readonly Diagnostic[] = [];
  beforeAll(() => {
    const write = (file: string, code: string): void => {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), code);
    };
    for (const file of [".oxlintrc.json", "tsconfig.json"]) cpSync(join(root, file), join(folder, file));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    for (const [, file, code] of planted) write(file, code);
    for (const [file, code] of allowed) write(file, code);
    const linter = join(root, "node_modules/oxlint/bin/oxlint");
    const options = { cwd: folder, encoding: "utf8" } as const;
    const { stdout } = spawnSync(
      process.execPath,
      [linter, "--format", "json", "packages", "bench"],
      options,
    );
    found = (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics;
  }, 60_000);

  it.each(planted)("report %s", (rule, file) => {
    expect(found.filter((one) => one.filename === file).map((one) => one.code)).toContain(rule);
  });

  it.each(allowed)("let %s pass", (file) => {
    expect(found.filter((one) => one.filename === file)).toEqual([]);
  });
});
