// npm run bench -- <name> [options] runs bench/<name>.ts; without a name, or with --list or --help, it lists them. `all` runs those of the
// figures page, `report` makes their results into Markdown.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { pathOf } from "../bench/support/options.ts";
import { runAll } from "../bench/support/suite/all.ts";
import { catalogue, listed } from "../bench/support/suite/catalogue.ts";
import { readFolder, sectionOf, writeResults } from "../bench/support/suite/report.ts";

async function all(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      out: { type: "string" },
      dir: { type: "string" },
      peers: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
    },
  });
  const { out, dir, peers, quick } = values;
  if (out === undefined) throw new Error("say where the results go: npm run bench -- all --out FOLDER");
  return (await runAll({ out: pathOf(out), dir, peers, quick })).length === 0 ? 0 : 1;
}

function report(args: string[]): number {
  const { values, positionals } = parseArgs({
    args,
    options: { write: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) throw new Error("npm run bench -- report FOLDER [--write]");
  const results = readFolder(pathOf(folder));
  if (!values.write) {
    console.log(results.map(sectionOf).join("\n\n"));
    return 0;
  }
  const quick = results.filter((told) => told.quick).map(({ bench }) => bench);
  if (quick.length > 0) {
    console.error(
      `nothing is written: ${quick.join(", ")} ran with --quick, whose figures say nothing; measure again without`,
    );
    return 1;
  }
  const added = writeResults(results);
  console.log(`bench/RESULTS.md has ${results.map(({ bench }) => bench).join(", ")}`);
  if (added.length > 0)
    console.log(
      `without a place until now, so before what was written by hand, or at its end: ${added.join(", ")}`,
    );
  return 0;
}

const [name, ...rest] = process.argv.slice(2);
const isSuite = name === "all" || name === "report";
if (name === undefined || name === "--list" || name === "--help" || (isSuite && rest.includes("--help")))
  console.log(listed());
else if (isSuite) {
  try {
    process.exitCode = name === "all" ? await all(rest) : report(rest);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 2;
  }
} else if (Object.hasOwn(catalogue, name)) {
  const file = join(import.meta.dirname, "../bench", `${name}.ts`);
  // The bench sees its own name as the script, and only its own options.
  process.argv.splice(1, 2, file);
  await import(pathToFileURL(file).href);
} else {
  console.error(`no bench "${name}"\n${listed()}`);
  process.exitCode = 2;
}
