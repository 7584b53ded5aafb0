// The model of the token bench, in a process of its own: one packet for each token. How many milliseconds lie between two of them is in
// the model's name, `every-5`.
//   model-double.ts <tokens of an answer>
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const tokens = Number(process.argv[2]);
const eventOf = (chunk: object) =>
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m", ...chunk })}\n\n`;
const words = Array.from({ length: tokens }, (_, i) => {
  const delta = { ...(i === 0 && { role: "assistant" }), content: ` token${i}` };
  return Buffer.from(eventOf({ choices: [{ index: 0, delta, logprobs: null, finish_reason: null }] }));
});
const usage = { prompt_tokens: 20, completion_tokens: tokens };
const tail = `${eventOf({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}${eventOf({ choices: [], usage })}data: [DONE]\n\n`;

/** By the time that has passed, so that a late timer does not make the answer longer; each token is a packet all the same. */
function stream(response: ServerResponse, everyMs: number): void {
  const began = performance.now();
  let sent = 0;
  const step = () => {
    response.write(words[sent] ?? "");
    sent += 1;
    if (sent === tokens) return void response.end(tail);
    setTimeout(step, Math.max(0, began + sent * everyMs - performance.now()));
  };
  step();
}

const server = createServer((request, response) => {
  if (request.method === "GET")
    return void response.setHeader("content-type", "application/json").end('{"data":[]}');
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { model } = JSON.parse(Buffer.concat(chunks).toString()) as { model: string };
    response.writeHead(200, { "content-type": "text/event-stream" });
    stream(response, Number(model.split("-")[1]));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => server.close().closeAllConnections());
