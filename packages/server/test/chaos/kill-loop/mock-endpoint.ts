import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { prose } from "./script.ts";
import type { Random } from "../random.ts";
import { sleep } from "../sleep.ts";

/** A model endpoint that outlives every server: each request gets another text, so that two attempts can be told apart. */
export interface MockEndpoint {
  readonly url: string;
  close(): Promise<void>;
}

export async function startMockEndpoint(random: Random): Promise<MockEndpoint> {
  const ending = new AbortController();
  let requests = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (request.method !== "POST") return void response.end(JSON.stringify({ data: [{ id: "nonce" }] }));
    requests += 1;
    void write(response, `${requests}: ${prose(random, random.int(10, 80))}`, {
      random,
      signal: ending.signal,
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    async close() {
      ending.abort();
      await closeServer(server);
    },
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function write(
  response: ServerResponse,
  text: string,
  { random, signal }: { random: Random; signal: AbortSignal },
): Promise<void> {
  response.on("error", () => undefined);
  response.writeHead(200, { "content-type": "text/event-stream" });
  const event = (payload: unknown) => void response.write(`data: ${JSON.stringify(payload)}\n\n`);
  const chunk = (delta: unknown, finish: string | null) =>
    event({
      id: "c",
      object: "chat.completion.chunk",
      created: 1,
      model: "nonce",
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
  const slow = random.chance(0.6);
  for (const word of text.split(/(?<= )/)) {
    if (signal.aborted || response.destroyed) return;
    chunk({ content: word }, null);
    if (slow) await sleep(random.int(1, 15), signal);
  }
  chunk({}, "stop");
  const usage = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 };
  event({ id: "c", object: "chat.completion.chunk", created: 1, model: "nonce", choices: [], usage });
  response.end("data: [DONE]\n\n");
}
