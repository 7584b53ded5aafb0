import { type Agent, type IncomingMessage, request as httpRequest } from "node:http";
import type { Contender, Shape, TurnTimes } from "./contender.ts";

export const question = "Please tell me what twenty tokens are, in twenty tokens.";

/** The first and the last text of the double's answer, whatever is around it. */
const [firstText, lastText] = ["token0", "token19"];

/** A POST whose answer is a stream: times until its first text and its end. Rejects when it is not the whole answer. */
function streamed(agent: Agent, url: URL, body: string): Promise<TurnTimes> {
  const sentAt = performance.now();
  let firstMs = 0;
  let whole = false;
  let rest = "";
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const asking = httpRequest(url, { agent, method: "POST", headers }, (answer: IncomingMessage) => {
      answer.setEncoding("latin1");
      answer.on("data", (chunk: string) => {
        // Looks for what it waits for without parsing: the client must not be what is measured.
        const text = rest + chunk;
        if (firstMs === 0 && text.includes(firstText)) firstMs = performance.now() - sentAt;
        whole ||= text.includes(lastText);
        rest = text.slice(-lastText.length);
      });
      answer.on("end", () => {
        if (answer.statusCode === 200 && whole) resolve({ firstMs, totalMs: performance.now() - sentAt });
        else reject(new Error(`${url.href} answered ${answer.statusCode}, and not all that the model said`));
      });
      answer.on("error", reject);
    });
    asking.on("error", reject);
    asking.end(body);
  });
}

/** What one place asks for in each of its turns. */
export interface Ask {
  readonly path: string;
  readonly body: object;
}

/** Turns that are one request each: the model itself, the relay, or a peer. */
export function requests(options: {
  readonly name: Contender["name"];
  readonly pid: number | null;
  readonly base: string;
  readonly agent: Agent;
  readonly ask: (shape: Shape, place: number) => Ask | Promise<Ask>;
  readonly stop: () => Promise<void>;
}): Contender {
  const { name, pid, base, agent, ask, stop } = options;
  return {
    name,
    pid,
    open: (shape, places) =>
      Promise.all(
        Array.from({ length: places }, async (_, i) => {
          const { path, body } = await ask(shape, i);
          const [url, text] = [new URL(base + path), JSON.stringify(body)];
          return { turn: () => streamed(agent, url, text), close: async () => {} };
        }),
      ),
    stop,
  };
}
