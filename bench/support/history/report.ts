import { median } from "../machine.ts";
import type { Verdict } from "../tell.ts";

/** A block of turns in every session; up to and with `turn`. */
export interface Block {
  readonly turn: number;
  readonly cpuMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Results {
  readonly floor: readonly Block[];
  readonly berth: readonly Block[];
  /** Calls of the model that were summaries, by block of Berth's. */
  readonly compactions: readonly number[];
}

/** Blocks that are compared, by their place: those after the first, which holds what a process does once, with those around turn 2,000. */
function compared({ berth }: Results): {
  readonly early: readonly number[];
  readonly late: readonly number[];
} {
  const block = berth[0]?.turn ?? 1;
  const last = berth.length - 1;
  const late = Math.min(Math.round(2_000 / block), last);
  const early = last < 1 ? [0] : [1, 2].filter((at) => at <= last);
  return { early, late: [late - 1, late].filter((at) => at >= 0) };
}

/** `101-300` for the blocks of turns 101 to 200 and 201 to 300. */
function turnsOf({ berth }: Results, places: readonly number[]): string {
  const [first = 0, last = 0] = [places[0], places.at(-1)];
  return `${(berth[first - 1]?.turn ?? 0) + 1}-${berth[last]?.turn ?? 0}`;
}

/** A row for each block that is compared, and for one in so many of the others, below their head. */
export function rowsOf(results: Results): readonly (readonly string[])[] {
  const { floor, berth, compactions } = results;
  const { early, late } = compared(results);
  const every = Math.max(1, Math.ceil(berth.length / 16));
  const shown = berth.flatMap((one, at) => {
    const beside = floor[at];
    const isShown = at === 0 || (at + 1) % every === 0 || early.includes(at) || late.includes(at);
    if (beside === undefined || !isShown) return [];
    const figures = [beside, one].flatMap(({ cpuMs, p50Ms, p99Ms }) =>
      [cpuMs, p50Ms, p99Ms].map((value) => value.toFixed(2)),
    );
    return [[turnsOf(results, [at]), ...figures, String(compactions[at] ?? 0)]];
  });
  const each = ["CPU ms", "p50 ms", "p99 ms"];
  const head = ["turns", ...each.map((what) => `floor ${what}`), ...each.map((what) => `berth ${what}`)];
  return [[...head, "compactions"], ...shown];
}

/** T5: late turns by early ones, each the mean of two blocks of the table. */
export function verdictsOf(results: Results): readonly Verdict[] {
  const { early, late } = compared(results);
  const ratio = (name: "floor" | "berth", of: "cpuMs" | "p50Ms") => {
    const cost = (places: readonly number[]) =>
      median(places.map((at) => results[name][at]?.[of] ?? Number.NaN));
    return cost(late) / cost(early);
  };
  const verdict = (what: string, of: "cpuMs" | "p50Ms"): Verdict => ({
    id: "T5",
    what: `turns ${turnsOf(results, late)} to turns ${turnsOf(results, early)}, ${what}; the floor's ${ratio("floor", of).toFixed(2)}`,
    value: ratio("berth", of),
    target: 1.5,
    beyond: 1.1,
  });
  return [verdict("CPU", "cpuMs"), verdict("time", "p50Ms")];
}
