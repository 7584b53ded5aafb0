import { type Clock, systemClock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { Bus } from "../bus.ts";

export interface InProcessBusOptions {
  readonly clock?: Clock;
  /** Told what a subscriber or an answerer threw. By default it is thrown again, uncaught: nothing is swallowed. */
  readonly onError?: (thrown: unknown, topic: string) => void;
}

type Call = (frame: unknown) => unknown;

const throwLater = (thrown: unknown) =>
  queueMicrotask(() => {
    throw thrown;
  });

/** Frames within one process. `publish` calls the topic's subscribers before it returns, in the order of their subscribing. */
export function createInProcessBus({
  clock = systemClock,
  onError = throwLater,
}: InProcessBusOptions = {}): Bus {
  const subscribers = new Map<string, readonly Call[]>();
  const answerers = new Map<string, readonly Call[]>();
  const asking = new Set<() => void>();
  let closed = false;

  /** Lists are replaced, never changed, so that a publish under way is not disturbed and costs no copy. */
  function add(calls: Map<string, readonly Call[]>, topic: string, call: Call): () => void {
    if (closed)
      throw new BerthError("bus_closed", "the server is stopping: connect again", { retryable: true });
    const own: Call = (frame) => call(frame);
    calls.set(topic, [...(calls.get(topic) ?? []), own]);
    return () => {
      const rest = (calls.get(topic) ?? []).filter((other) => other !== own);
      if (rest.length > 0) calls.set(topic, rest);
      else calls.delete(topic);
    };
  }

  async function answerOf(call: Call, topic: string, question: unknown): Promise<unknown> {
    try {
      return (await call(question)) ?? null;
    } catch (thrown) {
      onError(thrown, topic);
      return null;
    }
  }

  return {
    publish(topic, frame) {
      for (const call of subscribers.get(topic) ?? []) {
        try {
          const called = call(frame);
          if (called instanceof Promise) called.catch((thrown: unknown) => onError(thrown, topic));
        } catch (thrown) {
          onError(thrown, topic);
        }
      }
    },

    subscribe: async (topic, call) => add(subscribers, topic, call),
    answer: async (topic, call) => add(answerers, topic, call),

    ask(topic, question, timeoutMs) {
      const calls = answerers.get(topic) ?? [];
      if (calls.length === 0) return Promise.resolve(null);
      return new Promise((resolve) => {
        const finish = (answer: unknown) => {
          timer.cancel();
          asking.delete(giveUp);
          resolve(answer);
        };
        const giveUp = () => finish(null);
        const timer = clock.after(timeoutMs, giveUp);
        asking.add(giveUp);
        let open = calls.length;
        for (const call of calls) {
          void answerOf(call, topic, question).then((answer) => {
            open -= 1;
            if (answer !== null || open === 0) finish(answer);
          });
        }
      });
    },

    async close() {
      closed = true;
      subscribers.clear();
      answerers.clear();
      for (const giveUp of asking) giveUp();
    },
  };
}
