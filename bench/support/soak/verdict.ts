import type { Probed } from "../probe/probe.ts";
import { median } from "../machine.ts";

/** The server at rest, at one moment of the soak. */
export interface Sample extends Probed {
  readonly minute: number;
  /** Sessions in memory, and bytes that the activation cache measured for them. */
  readonly live: number;
  readonly evictions: number;
  /** Files in the data folder of no session that is there; those of sessions that are, and blobs, are counted besides. */
  readonly files: number;
  readonly aliveFiles: number;
  readonly blobs: number;
  /** Files in the server's folder for temporary files. */
  readonly temporary: number;
}

export interface Judged {
  readonly what: string;
  readonly told: string;
  readonly ok: boolean;
}

/** What the heap may move from the settled moment on, as a share; and what counts may grow by beyond that share. */
const share = 0.05;
const few = 3;

/** Flat from `settled` on: the heap in every sample, the rest from the first to the last third. */
export function judge(samples: readonly Sample[], settledMinute: number): readonly Judged[] {
  const settled = samples.filter(({ minute }) => minute >= settledMinute);
  const first = settled[0];
  if (first === undefined || settled.length < 3) {
    const told = `${settled.length} samples from minute ${settledMinute.toFixed(1)} on, and it takes 3: more --minutes, or less --every`;
    return [{ what: "there is enough to judge", told, ok: false }];
  }
  const heaps = settled.map(({ heldBytes }) => heldBytes / first.heldBytes - 1);
  const [least, most] = [Math.min(...heaps), Math.max(...heaps)];
  const percent = (value: number) => `${value >= 0 ? "+" : ""}${(value * 100).toFixed(1)} %`;
  const kinds = new Set(settled.flatMap(({ resources }) => Object.keys(resources)));
  const counts: readonly (readonly [string, (sample: Sample) => number])[] = [
    ["open files of the process", ({ openFiles }) => openFiles],
    ["timers", ({ timers }) => timers],
    ["files in the data folder of no session that is there, without blobs", ({ files }) => files],
    ["temporary files", ({ temporary }) => temporary],
    ["contexts", ({ contexts }) => contexts],
    ...[...kinds].map(
      (kind) => [`what keeps it alive: ${kind}`, ({ resources }: Sample) => resources[kind] ?? 0] as const,
    ),
  ];
  return [
    {
      what: `heap after garbage collection within ${share * 100} % of minute ${first.minute.toFixed(1)}`,
      told: `${percent(least)} to ${percent(most)}`,
      ok: least >= -share && most <= share,
    },
    ...counts.map(([what, of]) => grows(what, settled.map(of))),
  ];
}

function grows(what: string, values: readonly number[]): Judged {
  const third = Math.ceil(values.length / 3);
  const [before, after] = [median(values.slice(0, third)), median(values.slice(-third))];
  return {
    what: `no growth of ${what}`,
    told: `${before} to ${after}`,
    ok: after <= before * (1 + share) + few,
  };
}
