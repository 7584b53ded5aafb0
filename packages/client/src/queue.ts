/** Hands what arrives to one reader, in order. */
export interface Queue<T> extends AsyncIterable<T> {
  push(item: T): void;
  /** Ends it once what waits has been read; with an error, by that. */
  end(error?: Error): void;
}

/** More than `limit` waiting items end it with an error: whoever reads so slowly has to come back for the rest. */
export function createQueue<T>(limit: number): Queue<T> {
  const waiting: T[] = [];
  let ended = false;
  let failure: Error | undefined;
  let wake = () => {};
  const queue = {
    push(item: T) {
      if (ended) return;
      waiting.push(item);
      if (waiting.length > limit) queue.end(new Error(`more than ${limit} frames wait for their reader`));
      wake();
    },
    end(error?: Error) {
      if (ended) return;
      ended = true;
      failure = error;
      wake();
    },
    async *[Symbol.asyncIterator](): AsyncGenerator<T> {
      for (;;) {
        while (waiting.length > 0) yield waiting.shift() as T;
        if (failure !== undefined) throw failure;
        if (ended) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
  return queue;
}
