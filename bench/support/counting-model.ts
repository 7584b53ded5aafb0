// A model with a context window, in a process of its own: OpenAI chat completions over HTTP, 20 tokens at once. It counts the prompt's
// tokens, reports them as a provider does, and refuses a prompt that is larger than its window. GET /counts tells what it saw.
//   counting-model.ts <window in tokens>
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Counts {
  readonly calls: number;
  readonly refused: number;
  /** Tokens of the largest prompt that it answered. */
  readonly largest: number;
}

const window = Number(process.argv[2]);
const answerTokens = 20;
const charactersPerToken = 4;
const counts = { calls: 0, refused: 0, largest: 0 };

const text = Array.from({ length: answerTokens }, (_, i) => ` token${i}`);

function answer(response: ServerResponse, promptTokens: number): void {
  const id = `chatcmpl-${counts.calls}`;
  const chunk = (rest: object) =>
    `data: ${JSON.stringify({ id, object: "chat.completion.chunk", created: 1, model: "m", ...rest })}\n\n`;
  const delta = (content: string) =>
    chunk({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
  const usage = { prompt_tokens: promptTokens, completion_tokens: answerTokens };
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end(
    text.map(delta).join("") +
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }) +
      `${chunk({ choices: [], usage })}data: [DONE]\n\n`,
  );
}

function refuse(response: ServerResponse, promptTokens: number): void {
  const message = `This model's maximum context length is ${window} tokens. Your messages have ${promptTokens} tokens.`;
  const error = { message, type: "invalid_request_error", code: "context_length_exceeded" };
  response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ error }));
}

const server = createServer((request, response) => {
  if (request.method === "GET") {
    const told = request.url === "/counts" ? counts : { data: [{ id: "counting", object: "model" }] };
    return void response.setHeader("content-type", "application/json").end(JSON.stringify(told));
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { messages } = JSON.parse(Buffer.concat(chunks).toString()) as { messages: { content: unknown }[] };
    const characters = messages.reduce((sum, { content }) => sum + lengthOf(content), 0);
    const promptTokens = Math.ceil(characters / charactersPerToken) + 4 * messages.length;
    if (promptTokens > window) {
      counts.refused += 1;
      return refuse(response, promptTokens);
    }
    counts.calls += 1;
    counts.largest = Math.max(counts.largest, promptTokens);
    answer(response, promptTokens);
  });
});

function lengthOf(content: unknown): number {
  return typeof content === "string" ? content.length : (JSON.stringify(content)?.length ?? 0);
}

server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => server.close().closeAllConnections());
