import { oneLine } from "./safe-text.ts";

/** Rows under a head, columns as wide as their widest cell; the last one takes what is left of the width. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], width: number): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => oneLine(cell, width)));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => lengthOf(row[column] ?? ""))));
  const before = widths.slice(0, -1).reduce((sum, one) => sum + one + 2, 0);
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        column === row.length - 1
          ? oneLine(cell, Math.max(20, width - before))
          : pad(cell, widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

function pad(cell: string, width: number): string {
  return cell + " ".repeat(Math.max(0, width - lengthOf(cell)));
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
