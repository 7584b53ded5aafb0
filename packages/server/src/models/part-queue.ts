import type { ModelPart } from "./model.ts";

type Batch = readonly ModelPart[];
type Taken = IteratorResult<Batch, undefined>;

const over: Taken = { done: true, value: undefined };
/** Batches that may wait before the producer is asked to pause. */
const highWater = 64;

export interface PartQueueHooks {
  /** The reader left early: stop what feeds the queue. */
  onReturn?: () => void;
  /** Too much waits / the reader has caught up. */
  onFull?: () => void;
  onDrained?: () => void;
}

/**
 * Hands parts from callbacks to one async reader. Batches that pile up while the reader is busy are joined, so a reader
 * costs one promise for each time it looks and not one for each token.
 */
export class PartQueue implements AsyncIterableIterator<Batch> {
  readonly #hooks: PartQueueHooks;
  #ready: ModelPart[] | null = null;
  #batches = 0;
  #waiting: ((taken: Taken) => void) | null = null;
  #ended = false;

  constructor(hooks: PartQueueHooks = {}) {
    this.#hooks = hooks;
  }

  push(parts: Batch): void {
    if (parts.length === 0 || this.#ended) return;
    const waiting = this.#waiting;
    if (waiting !== null) {
      this.#waiting = null;
      waiting({ done: false, value: parts });
      return;
    }
    if (this.#ready === null) this.#ready = [...parts];
    else for (const part of parts) this.#ready.push(part);
    this.#batches++;
    if (this.#batches === highWater) this.#hooks.onFull?.();
  }

  /** Nothing more will come. What waits is still handed out. */
  end(): void {
    this.#ended = true;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.(over);
  }

  next(): Promise<Taken> {
    const ready = this.#ready;
    if (ready !== null) {
      const wasFull = this.#batches >= highWater;
      this.#ready = null;
      this.#batches = 0;
      if (wasFull) this.#hooks.onDrained?.();
      return Promise.resolve({ done: false, value: ready });
    }
    if (this.#ended) return Promise.resolve(over);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<Taken> {
    this.#ready = null;
    if (!this.#ended) this.#hooks.onReturn?.();
    this.end();
    return Promise.resolve(over);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
