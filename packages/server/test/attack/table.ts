import type { Result } from "./judge.ts";

/** The results as a table, one line each, and a line that counts them. */
export function tableOf(results: readonly Result[]): string {
  const head = ["id", "attack", "target", "verdict", "ms", "what was seen"];
  const lines = results.map((result) => [
    result.id,
    result.attack,
    result.target,
    result.verdict,
    String(result.ms),
    result.seen + (result.naive === null ? "" : ` (where nothing holds: ${result.naive})`),
  ]);
  const widths = head.map((name, at) => Math.max(name.length, ...lines.map((line) => line[at]?.length ?? 0)));
  const row = (cells: readonly string[]) =>
    cells
      .map((cell, at) => cell.padEnd(at === cells.length - 1 ? 0 : (widths[at] ?? 0)))
      .join("  ")
      .trimEnd();
  const count = (verdict: Result["verdict"]) => results.filter((result) => result.verdict === verdict).length;
  const sum = (["held", "leaked", "blind", "failed", "not expected"] as const)
    .map((verdict) => `${count(verdict)} ${verdict}`)
    .join(", ");
  return `${[row(head), ...lines.map(row)].join("\n")}\n${sum}\n`;
}
