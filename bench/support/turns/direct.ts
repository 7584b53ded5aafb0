import { type Agent, type IncomingMessage, request as httpRequest } from "node:http";
import type { Contender, TurnTimes } from "./contender.ts";

export const question = "Please tell me what twenty tokens are, in twenty tokens.";

/** A POST whose answer is a stream: times until its first bytes and its end. */
function streamed(agent: Agent, url: URL, body: string): Promise<TurnTimes> {
  const sentAt = performance.now();
  let firstMs = 0;
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const asking = httpRequest(url, { agent, method: "POST", headers }, (answer: IncomingMessage) => {
      if (answer.statusCode !== 200) reject(new Error(`${url.href} answered ${answer.statusCode}`));
      answer.on("data", () => {
        firstMs ||= performance.now() - sentAt;
      });
      answer.on("end", () => resolve({ firstMs, totalMs: performance.now() - sentAt }));
      answer.on("error", reject);
    });
    asking.on("error", reject);
    asking.end(body);
  });
}

/** Turns that are one request each: the model itself, or the relay. */
export function requests(options: {
  readonly name: "model" | "floor";
  readonly pid: number | null;
  readonly url: string;
  readonly agent: Agent;
  readonly body: (model: string, session: string) => object;
  readonly stop: () => Promise<void>;
}): Contender {
  const { name, pid, agent, body, stop } = options;
  const url = new URL(options.url);
  return {
    name,
    pid,
    async open(shape, places) {
      return Array.from({ length: places }, (_, i) => {
        const text = JSON.stringify(body(shape, `session-${i}`));
        return { turn: () => streamed(agent, url, text), close: async () => {} };
      });
    },
    stop,
  };
}
