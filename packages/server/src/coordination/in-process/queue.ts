import { FairLine } from "../../lib/fair-line.ts";
import type { Queue, TakeOptions, WakeUp } from "../queue.ts";

interface Taker {
  readonly without: ReadonlySet<string>;
  readonly give: (wakeUp: WakeUp | null) => void;
}

export interface InProcessQueueOptions {
  /** Of organizations, relative to each other; 1 for all of them by default. */
  readonly weightOf?: (orgId: string) => number;
}

/** Wake-ups within one process. Pushing and taking cost O(1) as long as every organization may be served. */
export function createInProcessQueue({ weightOf = () => 1 }: InProcessQueueOptions = {}): Queue {
  const urgent = new FairLine<WakeUp>(weightOf);
  const ordinary = new FairLine<WakeUp>(weightOf);
  const takers = new Set<Taker>();
  let closed = false;

  const placeOf = ({ orgId, sessionId, owner = "" }: WakeUp) => ({
    group: orgId,
    lane: owner,
    key: sessionId,
  });
  const next = ({ without = new Set() }: TakeOptions) =>
    urgent.take() ?? ordinary.take(without.size === 0 ? {} : { admits: (orgId) => !without.has(orgId) });

  return {
    async push(wakeUp) {
      if (closed) return;
      const place = placeOf(wakeUp);
      if (urgent.has(place)) return;
      for (const { without, give } of takers) {
        if (wakeUp.urgent === true || !without.has(wakeUp.orgId)) return give(wakeUp);
      }
      if (wakeUp.urgent === true) {
        ordinary.remove(place);
        urgent.add(place, wakeUp);
      } else ordinary.add(place, wakeUp);
    },

    async take(signal, options = {}) {
      if (closed || signal.aborted) return null;
      const first = next(options);
      if (first !== null) return first;
      return new Promise((resolve) => {
        const taker: Taker = {
          without: options.without ?? new Set(),
          give(wakeUp) {
            takers.delete(taker);
            signal.removeEventListener("abort", stop);
            resolve(wakeUp);
          },
        };
        const stop = () => taker.give(null);
        takers.add(taker);
        signal.addEventListener("abort", stop, { once: true });
      });
    },

    size: async () => urgent.size + ordinary.size,

    async close() {
      closed = true;
      urgent.clear();
      ordinary.clear();
      for (const { give } of takers) give(null);
    },
  };
}
