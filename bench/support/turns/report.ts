import { peerNames } from "./contender.ts";
import type { Figures } from "./measure.ts";

/** Medians by case, then by contender. */
export type Results = Readonly<Record<string, Readonly<Record<string, Figures>>>>;

export interface Ratio {
  readonly id: string;
  readonly what: string;
  readonly ratio: number;
  /** What it should be, and what would be better still; empty where nothing was promised. */
  readonly target: string;
}

/** A table of what was measured, then each target with its ratio. */
export function report(results: Results, ratios: readonly Ratio[]): string {
  const lines = ["case        who        turns/s   CPU/turn   first p50   turn p50   turn p99"];
  for (const [name, ofCase] of Object.entries(results)) {
    for (const [who, figures] of Object.entries(ofCase)) lines.push(line(name, who, figures));
  }
  return [...lines, "", ...ratios.map(lineOf)].join("\n");
}

function line(name: string, who: string, figures: Figures): string {
  const ms = (value: number, width: number) => `${value.toFixed(2)} ms`.padStart(width);
  const { turnsPerSecond } = figures;
  return [
    name.padEnd(12),
    who.padEnd(9),
    turnsPerSecond.toFixed(turnsPerSecond < 100 ? 1 : 0).padStart(9),
    figures.cpuMs === null ? "-".padStart(11) : ms(figures.cpuMs, 11),
    ms(figures.firstP50, 12),
    ms(figures.totalP50, 11),
    ms(figures.totalP99, 11),
  ].join("");
}

function lineOf({ id, what, ratio, target }: Ratio): string {
  const told = target === "" ? "" : `   (target ${target})`;
  return `${id.padEnd(5)}${what.padEnd(47)}${ratio.toFixed(2)}${told}`;
}

/** Every ratio whose two sides were measured in this run. */
export function ratiosOf(results: Results): readonly Ratio[] {
  const turns = (name: string, who: string) => results[name]?.[who]?.turnsPerSecond ?? Number.NaN;
  const first = (name: string, who: string) => results[name]?.[who]?.firstP50 ?? Number.NaN;
  const ofFloor = (name: string) => turns(name, "berth") / turns(name, "floor");
  const added = (who: string) => first("T1 at 1", who) - first("T1 at 1", "model");
  const told: readonly (readonly [string, string, number, string])[] = [
    ["T1", "turns/s at 64, of the floor", ofFloor("T1 at 64"), ">= 0.33, beyond 0.5"],
    ["", "turns/s at 16, of the floor", ofFloor("T1 at 16"), ""],
    ["", "turns/s at 1, of the floor", ofFloor("T1 at 1"), ""],
    ["T1b", "turns/s, of the floor", ofFloor("T1b at 64"), ">= 0.6, beyond 0.8"],
    ["", "first token, to the floor's", first("T1b at 64", "berth") / first("T1b at 64", "floor"), "<= 2"],
    [
      "T2",
      "turns/s with one tool call, of the floor of T1",
      turns("T2 at 64", "berth") / turns("T1 at 64", "floor"),
      ">= 0.2, beyond 0.33",
    ],
    ["T4", "first token added at 1, to the floor's", added("berth") / added("floor"), "<= 2, beyond 1.3"],
  ];
  const ofPeers = ["T1 at 1", "T1 at 16", "T1 at 64", "T1b at 64", "T2 at 64"].flatMap((name) => {
    const [best] = peerNames
      .filter((peer) => results[name]?.[peer] !== undefined)
      .toSorted((a, b) => turns(name, b) - turns(name, a));
    if (best === undefined) return [];
    const promised = name === "T1 at 64" || name === "T2 at 64" ? ">= 5" : "";
    const [id = "", , at] = name.split(" ");
    const what = `turns/s at ${at}, of the best peer, ${best}`;
    return [[id, what, turns(name, "berth") / turns(name, best), promised] as const];
  });
  return [...told, ...ofPeers]
    .filter(([, , ratio]) => !Number.isNaN(ratio))
    .map(([id, what, ratio, target]) => ({ id, what, ratio, target }));
}
