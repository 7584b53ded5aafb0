/** Reads that are done in one turn of the event loop: each is up to some milliseconds of work on the main thread. */
const readsPerTurn = 2;

/** Work that waits for the event loop's next turns, a few pieces in each, so that a thousand readers at once stall nobody. */
export interface Turns {
  add(work: () => void): void;
}

export function createTurns(): Turns {
  const waiting: (() => void)[] = [];
  const next = () => {
    for (const work of waiting.splice(0, readsPerTurn)) work();
    if (waiting.length > 0) setImmediate(next);
  };
  return {
    add(work) {
      waiting.push(work);
      if (waiting.length === 1) setImmediate(next);
    },
  };
}
