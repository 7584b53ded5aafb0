import { oneLine } from "./safe-text.ts";

/** A word, such as a file or an address, is of no use in part. */
const longestWord = 400;

/**
 * Rows under a head, columns as wide as their widest cell. The last one takes what is left of the width, unless it is a single word:
 * that is shown whole.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[], width: number): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => oneLine(cell, longestWord)));
  const widths = head.map((_, column) =>
    Math.max(...cells.map((row) => Math.min(width, lengthOf(row[column] ?? "")))),
  );
  const before = widths.slice(0, -1).reduce((sum, one) => sum + one + 2, 0);
  const room = Math.max(20, width - before);
  const lines = cells.map((row) =>
    row
      .map((cell, column) => {
        if (column < row.length - 1) return pad(oneLine(cell, width), widths[column] ?? 0);
        return cell.includes(" ") ? oneLine(cell, room) : cell;
      })
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
