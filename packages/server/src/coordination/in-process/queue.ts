import type { Queue, WakeUp } from "../queue.ts";

/**
 * Wake-ups within one process. Each organization that waits has a lane; the lanes form a ring (the map's order), and a
 * lane that has given one wake-up goes to the ring's end. Pushing and taking cost O(1).
 */
export function createInProcessQueue(): Queue {
  const lanes = new Map<string, Set<string>>();
  const takers = new Set<(wakeUp: WakeUp | null) => void>();
  let waiting = 0;
  let closed = false;

  function shift(): WakeUp | null {
    for (const [orgId, lane] of lanes) {
      for (const sessionId of lane) {
        lane.delete(sessionId);
        lanes.delete(orgId);
        if (lane.size > 0) lanes.set(orgId, lane);
        waiting -= 1;
        return { orgId, sessionId };
      }
    }
    return null;
  }

  return {
    async push({ orgId, sessionId }) {
      if (closed) return;
      for (const give of takers) return give({ orgId, sessionId });
      const lane = lanes.get(orgId) ?? new Set();
      if (lane.has(sessionId)) return;
      lanes.set(orgId, lane.add(sessionId));
      waiting += 1;
    },

    async take(signal) {
      if (closed || signal.aborted) return null;
      const first = shift();
      if (first !== null) return first;
      return new Promise((resolve) => {
        const give = (wakeUp: WakeUp | null) => {
          takers.delete(give);
          signal.removeEventListener("abort", stop);
          resolve(wakeUp);
        };
        const stop = () => give(null);
        takers.add(give);
        signal.addEventListener("abort", stop, { once: true });
      });
    },

    size: async () => waiting,

    async close() {
      closed = true;
      lanes.clear();
      waiting = 0;
      for (const give of takers) give(null);
    },
  };
}
