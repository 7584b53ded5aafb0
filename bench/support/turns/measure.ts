import { cpuMs } from "../process-use.ts";
import type { Contender, Place, Shape, TurnTimes } from "./contender.ts";

/** One line of a bench: what the model does, and how many turns go on at once. */
export interface Case {
  readonly name: string;
  readonly shape: Shape;
  readonly concurrent: number;
}

export interface Figures {
  readonly turnsPerSecond: number;
  /** CPU of the server's process for a turn, all its threads; null for the model. Milliseconds. */
  readonly cpuMs: number | null;
  readonly firstP50: number;
  readonly totalP50: number;
  readonly totalP99: number;
}

/**
 * Sessions that take turns in turns, so that none of them gets a history so long that its cost is what is measured
 * (that is T5). Each has had one turn before the clock starts.
 */
const places = 64;

export async function measure(contender: Contender, what: Case, seconds: number): Promise<Figures> {
  const opened = await contender.open(what.shape, Math.max(places, what.concurrent));
  try {
    await warmUp(opened, what.concurrent);
    return await timed(contender, opened, { concurrent: what.concurrent, ms: seconds * 1_000 });
  } finally {
    await Promise.all(opened.map((place) => place.close()));
  }
}

async function warmUp(opened: readonly Place[], concurrent: number): Promise<void> {
  const waiting = [...opened];
  const one = async () => {
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) await place.turn();
  };
  await Promise.all(Array.from({ length: concurrent }, one));
}

async function timed(
  { pid }: Contender,
  opened: readonly Place[],
  { concurrent, ms }: { concurrent: number; ms: number },
): Promise<Figures> {
  const free = [...opened];
  const times: TurnTimes[] = [];
  const cpuBefore = pid === null ? 0 : cpuMs(pid);
  const startedAt = performance.now();
  const one = async () => {
    while (performance.now() - startedAt < ms) {
      const place = free.shift();
      if (place === undefined) throw new Error("more turns at once than places");
      times.push(await place.turn());
      free.push(place);
    }
  };
  await Promise.all(Array.from({ length: concurrent }, one));
  const tookMs = performance.now() - startedAt;
  const cpu = pid === null ? null : (cpuMs(pid) - cpuBefore) / times.length;
  const first = times.map((time) => time.firstMs).toSorted((a, b) => a - b);
  const total = times.map((time) => time.totalMs).toSorted((a, b) => a - b);
  const at = (sorted: readonly number[], share: number) => sorted[Math.floor(share * sorted.length)] ?? 0;
  return {
    turnsPerSecond: (times.length / tookMs) * 1_000,
    cpuMs: cpu,
    firstP50: at(first, 0.5),
    totalP50: at(total, 0.5),
    totalP99: at(total, 0.99),
  };
}
