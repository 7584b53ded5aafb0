// npm run docs: writes the generated reference pages anew. A test fails when a committed one is old.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { configurationPage } from "../packages/server/src/config/docs.ts";

const root = join(import.meta.dirname, "..");
writeFileSync(join(root, "docs/reference/configuration.md"), configurationPage());

const vitest = fileURLToPath(new URL("./vitest.mjs", import.meta.resolve("vitest/package.json")));
const description = "packages/server/src/http/openapi-document.test.ts";
const { status } = spawnSync(process.execPath, [vitest, "run", "--project", "unit", description, "-u"], {
  cwd: root,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
