import type { Figures } from "./measure.ts";

/** Medians by case, then by contender. */
export type Results = Readonly<Record<string, Readonly<Record<string, Figures>>>>;

/** A table of what was measured, then each target with its ratio. */
export function report(results: Results): string {
  const lines = ["case        who     turns/s   CPU/turn   first p50   turn p50   turn p99"];
  for (const [name, ofCase] of Object.entries(results)) {
    for (const [who, figures] of Object.entries(ofCase)) lines.push(line(name, who, figures));
  }
  return [...lines, "", ...verdicts(results)].join("\n");
}

function line(name: string, who: string, figures: Figures): string {
  const ms = (value: number, width: number) => `${value.toFixed(2)} ms`.padStart(width);
  return [
    name.padEnd(12),
    who.padEnd(6),
    String(Math.round(figures.turnsPerSecond)).padStart(9),
    figures.cpuMs === null ? "-".padStart(11) : ms(figures.cpuMs, 11),
    ms(figures.firstP50, 12),
    ms(figures.totalP50, 11),
    ms(figures.totalP99, 11),
  ].join("");
}

function verdicts(results: Results): string[] {
  const turns = (name: string, who: string) => results[name]?.[who]?.turnsPerSecond ?? Number.NaN;
  const first = (name: string, who: string) => results[name]?.[who]?.firstP50 ?? Number.NaN;
  const floor = turns("T1 at 64", "floor");
  const added = (who: string) => first("T1 at 1", who) - first("T1 at 1", "model");
  const firstB = first("T1b at 64", "berth") / first("T1b at 64", "floor");
  const told: readonly (readonly [string, number, string])[] = [
    ["T1   turns/s at 64, of the floor", turns("T1 at 64", "berth") / floor, ">= 0.33, beyond 0.5"],
    ["     turns/s at 16, of the floor", turns("T1 at 16", "berth") / turns("T1 at 16", "floor"), ""],
    ["     turns/s at 1, of the floor", turns("T1 at 1", "berth") / turns("T1 at 1", "floor"), ""],
    [
      "T1b  turns/s, of the floor",
      turns("T1b at 64", "berth") / turns("T1b at 64", "floor"),
      ">= 0.6, beyond 0.8",
    ],
    ["     first token, to the floor's", firstB, "<= 2"],
    [
      "T2   turns/s with one tool call, of the floor of T1",
      turns("T2 at 64", "berth") / floor,
      ">= 0.2, beyond 0.33",
    ],
    ["T4   first token added at 1, to the floor's", added("berth") / added("floor"), "<= 2, beyond 1.3"],
  ];
  return told
    .filter(([, ratio]) => !Number.isNaN(ratio))
    .map(
      ([what, ratio, target]) =>
        `${what.padEnd(52)}${ratio.toFixed(2)}${target === "" ? "" : `   (target ${target})`}`,
    );
}
