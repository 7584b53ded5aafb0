import { type About, aboutLines } from "./about.ts";

/** A figure beside what it is to be. */
export interface Verdict {
  /** Of design's table of targets: T1, T2, … */
  readonly id: string;
  readonly what: string;
  readonly value: number;
  readonly target: number;
  readonly beyond: number | null;
}

/** Prints a bench's result, as JSON or for people: where it was taken, its table, what was to be reached. */
export function tell({
  about,
  settings,
  results,
  rows,
  verdicts,
  json,
}: {
  readonly about: About;
  readonly settings: string;
  readonly results: unknown;
  /** The same for people; the first row is the head. */
  readonly rows: readonly (readonly string[])[];
  readonly verdicts: readonly Verdict[];
  readonly json: boolean;
}): void {
  if (json) return console.log(JSON.stringify({ about, settings, results, verdicts }, null, 2));
  console.log(`${aboutLines(about)}\nsettings: ${settings}\n`);
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    console.log(cells.join("  ").trimEnd());
  }
  if (verdicts.length > 0) console.log("");
  for (const { id, what, value, target, beyond } of verdicts) {
    const judged = value <= target ? "met" : "MISSED";
    const further = beyond === null ? "" : `, beyond it ${beyond}`;
    console.log(`${id.padEnd(4)} ${what}: ${value.toFixed(2)} (target ${target}${further}) ${judged}`);
  }
}
