import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { type About, aboutLines, load } from "./about.ts";
import { ownName } from "./options.ts";

/** A figure beside what it is to be. */
export interface Verdict {
  /** Of the table of targets: T1, T2, …; empty for a figure that explains another. */
  readonly id: string;
  readonly what: string;
  readonly value: number;
  /** Null where nothing was promised. */
  readonly target: number | null;
  readonly beyond: number | null;
  /** The value is to be at least its target; else at most. */
  readonly least?: true;
}

/** What a bench found, as `--json` writes it and `report` reads it. */
export interface Told {
  readonly bench: string;
  /** Its options, but for where its files were. */
  readonly options: readonly string[];
  /** It was to show that the bench works, and its figures say nothing: results of a quick run are not kept. */
  readonly quick?: boolean;
  readonly about: About;
  readonly loadAtEnd: number;
  readonly tookSeconds: number;
  readonly settings: string;
  /** For people; the first row is the head. */
  readonly rows: readonly (readonly string[])[];
  readonly verdicts: readonly Verdict[];
  /** What else is to be known, a sentence each. */
  readonly notes: readonly string[];
  readonly results: unknown;
}

/** Prints a bench's result: where it was taken, its table, what was to be reached; with `--json` it is written there as well. */
export function tell({
  options: { json, quick },
  notes = [],
  ...found
}: Pick<Told, "about" | "settings" | "rows" | "verdicts" | "results"> & {
  readonly notes?: readonly string[];
  readonly options: { readonly json: string | null; readonly quick: boolean };
}): void {
  const told: Told = {
    bench: ownName(),
    options: ownOptions(process.argv.slice(2)),
    ...(quick && { quick }),
    loadAtEnd: load(),
    tookSeconds: Math.round(performance.now() / 1_000),
    notes: [...notes, ...busyNote(found.about.load, availableParallelism())],
    ...found,
  };
  if (json !== null) writeFileSync(json, `${JSON.stringify(told, null, 2)}\n`);
  const { about, loadAtEnd, settings, rows, verdicts } = told;
  console.log(`${aboutLines(about)}, load at the end ${loadAtEnd.toFixed(1)}\nsettings: ${settings}\n`);
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    console.log(cells.join("  ").trimEnd());
  }
  if (verdicts.length > 0) console.log("");
  for (const verdict of verdicts) {
    const { id, what, value, target, beyond, least } = verdict;
    const further = beyond === null ? "" : `, beyond it ${beyond}`;
    const promised =
      target === null
        ? ""
        : ` (target ${least === true ? "at least" : "at most"} ${target}${further}) ${judge(verdict)}`;
    console.log(`${id.padEnd(4)} ${what}: ${value.toFixed(2)}${promised}`);
  }
  for (const note of told.notes) console.log(note);
}

/** What a load means in which a bench began: none or one sentence. */
export function busyNote(busy: number, processors: number): readonly string[] {
  if (busy <= processors) return [];
  return [
    `The load was ${busy.toFixed(1)} on ${processors} processors when this began: other things ran, or had just ended. Ratios at such a load say little.`,
  ];
}

/** How a figure stands to its target; empty where there is none. */
export function judge({ value, target, beyond, least }: Verdict): "" | "beyond" | "met" | "MISSED" {
  const reaches = (wanted: number) => (least === true ? value >= wanted : value <= wanted);
  if (target === null) return "";
  if (beyond !== null && reaches(beyond)) return "beyond";
  return reaches(target) ? "met" : "MISSED";
}

/** Paths of this machine are nobody else's. */
function ownOptions(given: readonly string[]): readonly string[] {
  const own = given.filter(
    (option, i) => !/^--(dir|json)(=|$)/.test(option) && !/^--(dir|json)$/.test(given[i - 1] ?? ""),
  );
  return own.map((option) => option.replace(/[^=]*\/.*/, "PATH"));
}
