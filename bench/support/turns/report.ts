import type { Verdict } from "../tell.ts";
import { peerNames } from "./contender.ts";
import type { Figures } from "./measure.ts";

/** Medians by case, then by contender. */
export type Results = Readonly<Record<string, Readonly<Record<string, Figures>>>>;

/** A row for each contender of each case, below their head. */
export function rowsOf(results: Results): readonly (readonly string[])[] {
  const head = ["case", "who", "turns/s", "CPU/turn", "first p50", "turn p50", "turn p99"];
  const all = Object.entries(results).flatMap(([name, ofCase]) =>
    Object.entries(ofCase).map(([who, figures]) => row(name, who, figures)),
  );
  return [head, ...all];
}

function row(name: string, who: string, figures: Figures): readonly string[] {
  const { turnsPerSecond, cpuMs, firstP50, totalP50, totalP99 } = figures;
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  const rate = turnsPerSecond.toFixed(turnsPerSecond < 100 ? 1 : 0);
  return [name, who, rate, cpuMs === null ? "-" : ms(cpuMs), ms(firstP50), ms(totalP50), ms(totalP99)];
}

/** Every ratio whose two sides were measured in this run. */
export function ratiosOf(results: Results): readonly Verdict[] {
  const turns = (name: string, who: string) => results[name]?.[who]?.turnsPerSecond ?? Number.NaN;
  const first = (name: string, who: string) => results[name]?.[who]?.firstP50 ?? Number.NaN;
  const ofFloor = (name: string) => turns(name, "berth") / turns(name, "floor");
  const added = (who: string) => first("T1 at 1", who) - first("T1 at 1", "model");
  const told: readonly Ratio[] = [
    ["T1", "turns/s at 64, of the floor", ofFloor("T1 at 64"), least(0.33, 0.5)],
    ["", "turns/s at 16, of the floor", ofFloor("T1 at 16"), nothing],
    ["", "turns/s at 1, of the floor", ofFloor("T1 at 1"), nothing],
    ["T1b", "turns/s, of the floor", ofFloor("T1b at 64"), least(0.6, 0.8)],
    [
      "T1b",
      "first token, to the floor's",
      first("T1b at 64", "berth") / first("T1b at 64", "floor"),
      { target: 2, beyond: null },
    ],
    [
      "T2",
      "turns/s with one tool call, of the floor of T1",
      turns("T2 at 64", "berth") / turns("T1 at 64", "floor"),
      least(0.2, 0.33),
    ],
    [
      "T4",
      "first token added at 1, to the floor's",
      added("berth") / added("floor"),
      { target: 2, beyond: 1.3 },
    ],
  ];
  const ofPeers = ["T1 at 1", "T1 at 16", "T1 at 64", "T1b at 64", "T2 at 64"].flatMap((name) => {
    const [best] = peerNames
      .filter((peer) => results[name]?.[peer] !== undefined)
      .toSorted((a, b) => turns(name, b) - turns(name, a));
    if (best === undefined) return [];
    const promise = name === "T1 at 64" || name === "T2 at 64" ? least(5, null) : nothing;
    const [id = "", , at] = name.split(" ");
    const what = `turns/s at ${at}, of the best peer, ${best}`;
    return [[id, what, turns(name, "berth") / turns(name, best), promise] as const];
  });
  return [...told, ...ofPeers].flatMap(([id, what, value, promise]) =>
    Number.isNaN(value) ? [] : [{ id, what, value, ...promise }],
  );
}

type Promised = Pick<Verdict, "target" | "beyond" | "least">;
type Ratio = readonly [id: string, what: string, value: number, promised: Promised];

const nothing: Promised = { target: null, beyond: null };
const least = (target: number, beyond: number | null): Promised => ({ target, beyond, least: true });
