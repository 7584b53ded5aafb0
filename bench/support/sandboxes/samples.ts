/** Durations of one thing. Milliseconds. */
export interface Samples {
  readonly p50: number;
  readonly p99: number;
  readonly times: number;
}

/** Runs a thing a number of times, one after the other, and tells how long each took. */
export async function timed(times: number, run: (index: number) => Promise<unknown>): Promise<number[]> {
  const all: number[] = [];
  for (let index = 0; index < times; index++) {
    const began = performance.now();
    await run(index);
    all.push(performance.now() - began);
  }
  return all;
}

export function samplesOf(durations: readonly number[]): Samples {
  const sorted = durations.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), times: durations.length };
}
