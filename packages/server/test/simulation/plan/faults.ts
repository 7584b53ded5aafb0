import type { Random } from "../../chaos/random.ts";
import { anyWorker, type Fault } from "./fault.ts";
import type { Build } from "./build.ts";

/** Calls at which a fault says most, the more often the more it says; else it falls on any, which is a read or a heartbeat mostly. */
const ofWorkers: readonly (readonly [weight: number, op: string])[] = [
  [5, "append"],
  [3, "text"],
  ...["claim", "release", "tool", "model", "putSnapshot", "heartbeat", "fireTimers", "push", "reserve"].map(
    (op) => [1, op] as const,
  ),
];
const ofApis: readonly (readonly [weight: number, op: string])[] = [
  [3, "accept"],
  ...["createSession", "push", "subscribe", "deleteSession"].map((op) => [1, op] as const),
];

/** Not only the first call after a while: that is the same one in many histories. */
const skips = [0, 0, 1, 2, 4];

const callOf = (random: Random, process: string) =>
  random.weighted(process.startsWith("w") ? ofWorkers : ofApis);

/** By how much a wall clock is off after it jumped, in milliseconds: as after a step of NTP, or somebody's mistake of an hour. */
const jumps = [-3_600_000, -20_000, -500, 0, 500, 20_000, 3_600_000];

interface PlannedSpan {
  readonly ms: number;
  readonly build: Pick<Build, "workers" | "apis" | "leaseMs" | "sweepMs">;
  readonly count?: number;
}

type Draw = (random: Random, at: number, process: string, build: Leased) => Fault;

type Leased = Pick<Build, "leaseMs" | "sweepMs">;

/** Just so long that somebody else has taken over when it ends; or any time. */
const outOfLease = (random: Random, { leaseMs, sweepMs }: Leased) =>
  random.chance(0.6) ? leaseMs + random.int(300, sweepMs + 1_500) : random.int(3_000, 15_000);

const onCalls =
  (kind: Extract<Fault, { op: string | null }>["kind"]): Draw =>
  (random, at, process) => ({
    kind,
    at,
    process,
    op: random.chance(0.85) ? callOf(random, process) : null,
    skip: random.pick(skips),
    ms: random.pick([50, 500, 3_000, 9_000]),
  });
const freeze: Draw = (random, at, process, build) => ({
  kind: "freeze",
  at,
  process,
  op: process.startsWith("w") ? random.pick(["append", "append", "append", "claim", "release"]) : "accept",
  skip: random.pick(skips),
  ms: outOfLease(random, build),
});
const onProcess =
  (kind: "pause" | "deaf-heart" | "clock-jump", spans: readonly number[]): Draw =>
  (random, at, process) => ({
    kind,
    at,
    process,
    ms: random.pick(spans),
  });
const forAWhile =
  (kind: "lossy" | "doubling" | "laggy" | "slow-commits" | "store-down", spans: readonly number[]): Draw =>
  (random, at) => ({
    kind,
    at,
    ms: random.pick(spans),
  });
type MishapKind = Extract<Fault, { kind: `model-${string}` | `tool-${string}` }>["kind"];
const mishap =
  (kind: MishapKind): Draw =>
  (random, at) => ({ kind, at, ms: random.pick([100, 2_000, 8_000]) });
type OperatorKind = Extract<
  Fault,
  { kind: "restart-all" | "evict" | "cleanup" | "prune" | "sweep" | "cut" | "slow-reader" }
>["kind"];
const operator =
  (kind: OperatorKind): Draw =>
  (random, at, process) => ({ kind, at, process, ms: random.pick([0, 500, 5_000]) });

const drain: Draw = (random, at, process) => {
  const amid = random.pick(["run", "beginning"] as const);
  const which = process.startsWith("w") ? process : anyWorker;
  const ms = random.pick(amid === "run" ? [0, 500, 5_000] : [500, 5_000]);
  return { kind: "drain", at, process: which, ms, amid };
};

const draws: readonly (readonly [weight: number, draw: Draw])[] = [
  [3, onCalls("crash-before")],
  [3, onCalls("crash-in-flight")],
  [3, onCalls("crash-after")],
  [2, onCalls("fail-before")],
  [4, onCalls("fail-after")],
  [2, onCalls("slow-call")],
  [2, onCalls("late-answer")],
  [4, freeze],
  [1, onProcess("pause", [500, 4_000, 9_000])],
  [1, (random, at, process, build) => ({ kind: "pause", at, process, ms: outOfLease(random, build) })],
  [1, onProcess("deaf-heart", [3_000, 8_000, 15_000])],
  [1.5, onProcess("clock-jump", jumps)],
  [1, (random, at) => ({ kind: "store-clock-jump", at, ms: random.pick(jumps) })],
  [2, forAWhile("lossy", [1_000, 5_000, 20_000])],
  [1, forAWhile("doubling", [1_000, 10_000])],
  [2, forAWhile("laggy", [1_000, 10_000])],
  [1, forAWhile("slow-commits", [500, 4_000])],
  [0.7, forAWhile("store-down", [300, 2_000])],
  [1, mishap("model-error")],
  [1, mishap("model-cut")],
  [0.5, mishap("model-hang")],
  [1, mishap("model-slow")],
  [2, mishap("model-retry")],
  [1, mishap("tool-throws")],
  [1, mishap("tool-fails")],
  [0.7, mishap("tool-hangs")],
  [1, mishap("tool-slow")],
  [1, drain],
  [0.5, operator("restart-all")],
  [3, operator("evict")],
  [0.5, operator("cleanup")],
  [0.3, operator("prune")],
  [0.5, operator("sweep")],
  [2, operator("cut")],
  [1, operator("slow-reader")],
];

export function planFaults(
  random: Random,
  { ms, build, count = random.pick([4, 12, 25, 40]) }: PlannedSpan,
): readonly Fault[] {
  const processes = [
    ...Array.from({ length: build.workers }, (_, at) => `w${at + 1}`),
    ...Array.from({ length: build.apis }, (_, at) => `a${at + 1}`),
  ];
  return Array.from({ length: count }, () => {
    const draw = random.weighted(draws);
    return draw(random, random.int(0, ms), random.pick(processes), build);
  }).toSorted((a, b) => a.at - b.at);
}
