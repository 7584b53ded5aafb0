import { InvalidArgumentError } from "commander";
import { formatDuration, parseDuration } from "../lib/duration.ts";
import { BerthError } from "../lib/errors.ts";

/** Reads an option that is a time of at most so long, and keeps it as it is written. Anything else is wrong usage. */
export function timeOption({ least = 1, most }: { readonly least?: number; readonly most: number }) {
  return (text: string): string => {
    const ms = parsed(text);
    if (ms < least) throw new InvalidArgumentError(`It must be at least ${formatDuration(least)}.`);
    if (ms > most) throw new InvalidArgumentError(`It must be at most ${shown(most)}.`);
    return text;
  };
}

function parsed(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof BerthError) throw new InvalidArgumentError("Write a time as 250ms, 30s or 1h30m.");
    throw error;
  }
}

/** A day is better known as 24 hours where options say so. */
function shown(ms: number): string {
  return ms === 86_400_000 ? "24h" : formatDuration(ms);
}
