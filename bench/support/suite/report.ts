import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { judge, type Told, type Verdict } from "../tell.ts";
import { catalogue } from "./catalogue.ts";

const resultsFile = join(import.meta.dirname, "../../RESULTS.md");

/** The results of a folder that `all` or `--json` filled, by bench. Throws when there is no such folder, or nothing in it. */
export function readFolder(folder: string): readonly Told[] {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder) throw new Error(`there is no folder ${folder}`);
  // The soak's result is a verdict of its own shape.
  const figures = Object.entries(catalogue).filter(([, one]) => one.figures);
  const files = figures.map(([name]) => join(folder, `${name}.json`));
  const found = files.filter((file) => existsSync(file));
  if (found.length === 0) throw new Error(`${folder} has no results of a bench, such as ${files[0]}`);
  return found.map((file) => {
    const told = readTold(file);
    // JSON has null for what is no number: a floor of nothing, in a run too short to measure one.
    const verdicts = told.verdicts.map((one) => ({
      ...one,
      value: (one.value as number | null) ?? Number.NaN,
    }));
    return { ...told, verdicts };
  });
}

/** Throws when it is not what a bench wrote to its end. */
function readTold(file: string): Told {
  try {
    const told = JSON.parse(readFileSync(file, "utf8")) as Told;
    if (Array.isArray(told.verdicts) && Array.isArray(told.rows)) return told;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Error(`${file} is not the whole result of a bench: measure it again, or take it away`);
}

/** A result as a section of bench/RESULTS.md. */
export function sectionOf(told: Told): string {
  const { bench, options, about, loadAtEnd, tookSeconds, settings, rows, verdicts, notes } = told;
  const targets = catalogue[bench]?.targets ?? [];
  const title = targets.length === 0 ? bench : `${bench} (${targets.join(", ")})`;
  const command = ["npm run bench --", bench, ...options].join(" ");
  const lines = [
    `## ${title}`,
    `\`${command}\``,
    `${about.date}Z, commit ${about.commit}, ${about.machine}, load ${about.load.toFixed(1)} at its beginning and ` +
      `${loadAtEnd.toFixed(1)} at its end, ${duration(tookSeconds)}. ${settings}.`,
    table(rows),
    ...(verdicts.length === 0
      ? []
      : [table([["", "what", "figure", "target", "beyond", ""], ...verdicts.map(verdictRow)])]),
    ...notes,
    ...(told.quick === true ? ["**This ran with `--quick`: its figures say nothing.**"] : []),
  ];
  return lines.join("\n\n");
}

function verdictRow(verdict: Verdict): readonly string[] {
  const { id, what, value, target, beyond, least } = verdict;
  const limit = (wanted: number | null) => (wanted === null ? "" : `${least === true ? "≥" : "≤"} ${wanted}`);
  const judged = judge(verdict);
  return [
    id,
    what,
    value.toFixed(2),
    limit(target),
    limit(beyond),
    judged === "MISSED" ? "**missed**" : judged,
  ];
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `|${cells.map((cell) => (cell === "" ? " " : ` ${cell} `)).join("|")}|`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

function duration(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${(seconds / 60).toFixed(1)} min`;
}

/** Puts results into bench/RESULTS.md; returns the benches that had no place between marks there. */
export function writeResults(all: readonly Told[]): readonly string[] {
  const { text, added } = withResults(readFileSync(resultsFile, "utf8"), all);
  writeFileSync(resultsFile, text);
  return added;
}

/**
 * The text with each result between the marks of its bench; what stands outside of marks stays as it is. A bench without marks gets
 * them before its section that was written by hand, else at the end: `added` names it.
 */
export function withResults(
  results: string,
  all: readonly Told[],
): { readonly text: string; readonly added: readonly string[] } {
  let text = results;
  const added: string[] = [];
  for (const told of all) {
    const [begin, end] = [`<!-- begin ${told.bench} -->`, `<!-- end ${told.bench} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    const block = `${begin}\n\n${sectionOf(told)}\n\n${end}`;
    if (from !== -1 && to > from) {
      text = text.slice(0, from) + block + text.slice(to + end.length);
      continue;
    }
    added.push(told.bench);
    const byHand = new RegExp(`^## ${told.bench}( \\(.*)?$`, "m").exec(text)?.index;
    text =
      byHand === undefined
        ? `${text.trimEnd()}\n\n${block}\n`
        : `${text.slice(0, byHand)}${block}\n\n${text.slice(byHand)}`;
  }
  return { text, added };
}
