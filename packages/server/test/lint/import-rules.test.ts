// The import lint is tested like code: each of its rules has one planted violation, in a tree that mirrors this one.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const require = createRequire(import.meta.url);
const root = join(import.meta.dirname, "../../../..");
const configFile = join(root, ".dependency-cruiser.cjs");
const config = require(configFile) as { forbidden: { name: string }[] };
const names = config.forbidden.map((rule) => rule.name);

type Plant = { readonly file: string; readonly code: string };
const S = "packages/server/src";
const plant = (file: string, imported: string): Plant => ({ file, code: `import "${imported}";\n` });

/** What every tree holds: it breaks no rule. */
const clean: readonly Plant[] = [
  { file: "packages/contract/src/index.ts", code: "export type Id = string;\nexport const one = 1;\n" },
  { file: "packages/client/src/index.ts", code: 'export { one } from "@berth/contract";\n' },
  { file: `${S}/lib/id.ts`, code: 'import type { Id } from "@berth/contract";\nexport type Ids = Id[];\n' },
  { file: `${S}/session/state.ts`, code: 'import type { Ids } from "../lib/id.ts";\nexport type S = Ids;\n' },
  { file: `${S}/session/fold.ts`, code: 'import type { Id } from "@berth/contract";\nexport type F = Id;\n' },
  {
    file: `${S}/store/store.ts`,
    code: 'import type { S } from "../session/state.ts";\nexport type T = S;\n',
  },
  { file: `${S}/store/sqlite/open.ts`, code: 'import "node:sqlite";\nimport "../store.ts";\nexport {};\n' },
  { file: `${S}/store/postgres/open.ts`, code: 'import "pg";\nexport {};\n' },
  { file: `${S}/sandbox/bubblewrap/open.ts`, code: "export {};\n" },
  { file: `${S}/models/anthropic/open.ts`, code: "export {};\n" },
  { file: `${S}/models/ai-sdk/open.ts`, code: 'import "ai";\nexport {};\n' },
  { file: `${S}/coordination/redis/open.ts`, code: 'import "ioredis";\nexport {};\n' },
  { file: `${S}/http/routes/open.ts`, code: 'import "hono";\nexport {};\n' },
  { file: `${S}/operations/open.ts`, code: 'import "../store/store.ts";\nexport {};\n' },
  plant(`${S}/roles/wiring.ts`, "../store/sqlite/open.ts"),
  plant(`${S}/cli/run.ts`, "../roles/wiring.ts"),
  plant(`${S}/cli/chat.ts`, "@berth/client"),
  plant(`${S}/main.ts`, "./cli/run.ts"),
  plant(`${S}/store/sqlite/open.test.ts`, "../../../test/support/x.ts"),
  plant("packages/server/test/support/x.ts", "../../src/store/sqlite/open.ts"),
];

/** One violation of the rule of this name. */
function violationOf(name: string): Plant {
  const module = /^(.+)-imports$/.exec(name)?.[1];
  if (module) {
    return plant(`${S}/${module}/planted.ts`, module === "cli" ? "../operations/open.ts" : "../cli/run.ts");
  }
  const found = violations[name];
  if (!found) throw new Error(`rule "${name}" has no planted violation`);
  return found;
}

const violations: Record<string, Plant> = {
  "no-cycles": { file: `${S}/lib/cycle.ts`, code: 'export type { Cycle } from "./cycle.ts";\n' },
  resolvable: plant(`${S}/lib/unresolved.ts`, "./nowhere.ts"),
  "known-modules-only": plant(`${S}/lib/unknown.ts`, "../utils/x.ts"),
  "main-hands-over-to-cli": plant(`${S}/main.ts`, "./roles/wiring.ts"),
  "roles-never-import-cli": plant(`${S}/roles/planted.ts`, "../cli/run.ts"),
  "only-cli-uses-the-client": plant(`${S}/operations/client.ts`, "@berth/client"),
  "subfolders-are-private": plant(`${S}/protocols/private.ts`, "../http/routes/open.ts"),
  "adapter-chosen-in-roles: store/(sqlite|postgres)/": plant(`${S}/store/pick.ts`, "./sqlite/open.ts"),
  "adapter-chosen-in-roles: coordination/(in-process|redis)/": plant(
    `${S}/coordination/pick.ts`,
    "./redis/open.ts",
  ),
  "adapter-chosen-in-roles: models/(openai-compatible|anthropic|ai-sdk|scripted)/": plant(
    `${S}/models/pick.ts`,
    "./anthropic/open.ts",
  ),
  "adapter-chosen-in-roles: sandbox/(local-process|bubblewrap|remote|host)/": plant(
    `${S}/sandbox/pick.ts`,
    "./bubblewrap/open.ts",
  ),
  "adapters-do-not-know-each-other": plant(`${S}/store/postgres/peer.ts`, "../sqlite/open.ts"),
  "driver node_modules/pg/ only in store/postgres/": plant(`${S}/store/pg.ts`, "pg"),
  "driver ^(node:)?sqlite$ only in store/sqlite/": plant(`${S}/store/db.ts`, "node:sqlite"),
  "driver node_modules/ioredis/ only in coordination/redis/": plant(`${S}/limits/redis.ts`, "ioredis"),
  "driver node_modules/(hono|@hono)/ only in (http|protocols|gateway|sandbox/host)/": plant(
    `${S}/operations/hono.ts`,
    "@hono/node-server",
  ),
  "driver node_modules/(ai|@ai-sdk)/ only in models/ai-sdk/": plant(`${S}/models/sdk.ts`, "@ai-sdk/google"),
  "session-is-pure": plant(`${S}/session/impure.ts`, "node:fs"),
  "session-takes-only-types-of-the-contract": plant(`${S}/session/values.ts`, "@berth/contract"),
  "tests-not-imported": plant(`${S}/lib/tested.ts`, "../store/sqlite/open.test.ts"),
  "client-and-console-see-only-contract": plant(
    "packages/client/src/planted.ts",
    "../../server/src/lib/id.ts",
  ),
  "contract-is-a-leaf": plant("packages/contract/src/planted.ts", "../../client/src/index.ts"),
};

type Violation = { readonly from: string; readonly rule: { readonly name: string } };
const folders: string[] = [];

function cruise(plants: readonly Plant[]): readonly Violation[] {
  const folder = mkdtempSync(join(tmpdir(), "berth-imports-"));
  folders.push(folder);
  const write = ({ file, code }: Plant): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), code);
  };
  for (const npm of ["pg", "ioredis", "hono", "@hono/node-server", "ai", "@ai-sdk/google"]) {
    write({ file: `node_modules/${npm}/index.js`, code: "export {};\n" });
  }
  mkdirSync(join(folder, "node_modules/@berth"));
  for (const name of ["contract", "client"]) {
    write({
      file: `packages/${name}/package.json`,
      code: JSON.stringify({ name: `@berth/${name}`, type: "module", exports: { ".": "./src/index.ts" } }),
    });
    symlinkSync(join(folder, "packages", name), join(folder, "node_modules/@berth", name));
  }
  plants.forEach(write);
  const cruiser = join(root, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs");
  const args = [cruiser, "--config", configFile, "--output-type", "json", "packages"];
  const output = execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  return (JSON.parse(output) as { summary: { violations: Violation[] } }).summary.violations;
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe("the import rules", () => {
  let reported: readonly Violation[] = [];
  beforeAll(() => {
    const unknownModule = { file: `${S}/utils/x.ts`, code: "export {};\n" };
    reported = cruise([...clean, unknownModule, ...names.map(violationOf)]);
  }, 60_000);

  it("let the architecture's own imports pass", () => {
    expect(cruise(clean)).toEqual([]);
  }, 60_000);

  it.each(names)("report %s", (name) => {
    const { file } = violationOf(name);
    expect(reported.filter((one) => one.from === file).map((one) => one.rule.name)).toContain(name);
  });
});
