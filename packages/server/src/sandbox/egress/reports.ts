import type { Clock, TimerHandle } from "../../lib/clock.ts";
import { type EgressDecision, mostHostShown } from "../egress-decision.ts";

export type Decided = Omit<EgressDecision, "count" | "bytesOut" | "bytesIn">;

/**
 * Tells the first decision of each host, port and reason at once and counts the others, so that a flood of requests costs one report
 * a minute. Hosts that a flood makes up beyond `maxKeys` are counted together under `*`.
 */
export interface EgressReports {
  decided(decision: Decided): void;
  /** Bytes of something that was decided before. */
  moved(decision: Decided, bytes: { readonly out: number; readonly in: number }): void;
  /** Tells what was counted and not told. Nothing may come after it. */
  close(): void;
}

interface Counted {
  decision: Decided;
  count: number;
  bytesOut: number;
  bytesIn: number;
  told: boolean;
}

export interface ReportsOptions {
  readonly clock: Clock;
  readonly tell: (decision: EgressDecision) => void;
  readonly everyMs?: number;
  readonly maxKeys?: number;
}

export function createEgressReports(options: ReportsOptions): EgressReports {
  const { clock, tell, everyMs = 60_000, maxKeys = 200 } = options;
  const known = new Map<string, Counted>();
  let timer: TimerHandle | null = null;

  function entryOf(whole: Decided): Counted {
    const decision = { ...whole, host: whole.host.slice(0, mostHostShown) };
    const key = `${decision.host} ${decision.port} ${decision.reason}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size < maxKeys) return add(key, decision);
    const rest = `* ${decision.reason}`;
    return known.get(rest) ?? add(rest, { ...decision, host: "*", port: 0, address: null });
  }

  function add(key: string, decision: Decided): Counted {
    const entry: Counted = { decision, count: 0, bytesOut: 0, bytesIn: 0, told: false };
    known.set(key, entry);
    timer ??= clock.after(everyMs, onTimer);
    return entry;
  }

  function onTimer(): void {
    timer = null;
    for (const [key, entry] of known) {
      // Quiet for a whole round: its next one is told at once again.
      if (!tellCounted(entry)) known.delete(key);
    }
    if (known.size > 0) timer = clock.after(everyMs, onTimer);
  }

  function tellCounted(entry: Counted): boolean {
    const { decision, count, bytesOut, bytesIn } = entry;
    if (count === 0 && bytesOut === 0 && bytesIn === 0) return false;
    Object.assign(entry, { count: 0, bytesOut: 0, bytesIn: 0 });
    tell({ ...decision, count, bytesOut, bytesIn });
    return true;
  }

  return {
    decided(decision) {
      const entry = entryOf(decision);
      entry.count += 1;
      if (entry.told) return;
      entry.told = true;
      tellCounted(entry);
    },
    moved(decision, bytes) {
      const entry = entryOf(decision);
      entry.bytesOut += bytes.out;
      entry.bytesIn += bytes.in;
    },
    close() {
      timer?.cancel();
      timer = null;
      for (const entry of known.values()) tellCounted(entry);
      known.clear();
    },
  };
}
