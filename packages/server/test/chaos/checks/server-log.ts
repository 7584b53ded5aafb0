import { readFileSync } from "node:fs";

/** What the servers wrote at level error, each kind once, with how often. Some come with killed servers; an internal one never should. */
export function errorsIn(logFile: string): readonly string[] {
  const kinds = new Map<string, number>();
  for (const line of readFileSync(logFile, "utf8").split("\n")) {
    const told = errorOf(line);
    if (told !== null) kinds.set(told, (kinds.get(told) ?? 0) + 1);
  }
  return [...kinds].toSorted(([, a], [, b]) => b - a).map(([told, times]) => `${times} x ${told}`);
}

/** A fault of the server's own, as its errors name it. */
export const isInternal = (told: string): boolean => told.includes('"code":"internal"');

const id = /\b(ses|run|inp|apr|tlu|stp|msg|wrk|req|agt|org|usr)_[0-9a-z]{26}\b/g;

function errorOf(line: string): string | null {
  if (!line.startsWith("{")) return line.trim() === "" || line.startsWith("Stopping:") ? null : line;
  try {
    const { level, msg, where, error, err } = JSON.parse(line) as Record<string, unknown>;
    const grave = typeof level === "number" ? level >= 50 : level === "error" || level === "fatal";
    if (!grave) return null;
    const cause = JSON.stringify(error ?? err ?? "")
      .replaceAll(id, "$1_")
      .slice(0, 800);
    return `${JSON.stringify([msg, where])} ${cause}`.replaceAll(id, "$1_");
  } catch {
    return null;
  }
}
