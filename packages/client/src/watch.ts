import type { ClientFrame } from "@berth/contract";
import { backoffMs, pause } from "./clock.ts";
import { BerthApiError, isPassing } from "./error.ts";
import type { Connector } from "./session/event-source.ts";
import { refusalOf } from "./refusal.ts";
import { openSocket } from "./socket.ts";

export type Topic = "approvals" | "sessions";

/** Something in the list may have changed: query it again. */
export interface Hint {
  readonly topic: Topic;
  /** Null when nothing more is known, as after a time without connection. */
  readonly sessionId: string | null;
}

export interface WatchOptions {
  readonly topics: readonly Topic[];
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}

/** Hints about lists, over one WebSocket that reconnects. Each connection begins with a hint for every topic. */
export async function* watch(connector: Connector, options: WatchOptions): AsyncGenerator<Hint> {
  const { http, WebSocket, silenceMs } = connector;
  if (WebSocket === undefined) throw new Error("There is no WebSocket here: give createClient one.");
  const { clock, random, backoff } = http.options;
  const signal = options.signal ?? new AbortController().signal;
  const topics = new Set<string>(options.topics);
  const greeting = options.topics.map((topic): ClientFrame => ({ op: "subscribe", id: topic, topic }));
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      for await (const frame of openSocket({ http, WebSocket, silenceMs }, greeting, signal)) {
        attempt = 0;
        if (frame.op === "subscribed" && topics.has(frame.id))
          yield { topic: frame.id as Topic, sessionId: null };
        if (frame.op === "hint" && topics.has(frame.topic)) {
          yield { topic: frame.topic as Topic, sessionId: frame.sessionId ?? null };
        }
        if (frame.op === "error") throw refusalOf(frame);
      }
    } catch (thrown) {
      if (signal.aborted) return;
      if (thrown instanceof BerthApiError && thrown.status < 500 && !isPassing(thrown.status)) throw thrown;
    }
    await pause(clock, backoffMs(backoff, attempt, random), signal);
  }
}
