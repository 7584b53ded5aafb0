import { createInProcessQueue } from "../../../src/coordination/in-process/queue.ts";
import type { Queue, TakeOptions, WakeUp } from "../../../src/coordination/queue.ts";
import type { Life } from "../engine/life.ts";
import type { Network } from "./network.ts";

/** What all processes push to and take from. */
export const createBroker = (): Queue => createInProcessQueue();

/** The queue as one life of a process has it: wake-ups go over the network on both ways. */
export function queueOf(broker: Queue, network: Network, life: Life): Queue {
  function take(signal: AbortSignal, options?: TakeOptions): Promise<WakeUp | null> {
    const waiting = new AbortController();
    const forget = life.atEnd(() => waiting.abort());
    const stop = () => waiting.abort();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    return new Promise((resolve) => {
      void broker.take(waiting.signal, options).then((wakeUp) => {
        forget();
        signal.removeEventListener("abort", stop);
        if (!life.dead) life.timer(0.1 + life.random.next(), () => resolve(wakeUp));
      });
    });
  }

  return {
    push: (wakeUp) => life.call("push", () => network.carry(null, "wake-up", () => void broker.push(wakeUp))),
    take,
    size: () => life.call("queue size", () => broker.size()),
    async close() {},
  };
}
