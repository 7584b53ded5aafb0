// npm run bench -- <name> [options]: runs bench/<name>.ts; without a name it lists them.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = join(import.meta.dirname, "../bench");
const name = process.argv[2];
const file = join(folder, `${name}.ts`);

if (name !== undefined && existsSync(file)) {
  // The bench sees its own name as the script, and only its own options.
  process.argv.splice(1, 2, file);
  await import(pathToFileURL(file).href);
} else {
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const names = files.filter((one) => one.endsWith(".ts")).map((one) => one.slice(0, -3));
  if (name !== undefined) console.error(`no bench "${name}"`);
  console.log(`benches: ${names.join(", ") || "none yet"}`);
  process.exitCode = name === undefined ? 0 : 1;
}
