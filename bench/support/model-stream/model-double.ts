// The model of the bench model-stream, in a process of its own so that its CPU is not counted: OpenAI chat completions over HTTP. The
// path says how an answer comes: /single/… a token in a packet each millisecond, /lumps/… twenty tokens in a packet at once.
//   model-double.ts <tokens of an answer>
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const tokens = Number(process.argv[2]);
const lump = 20;

const eventOf = (chunk: object) =>
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", ...chunk })}\n\n`;
const delta = (content: string) =>
  eventOf({
    created: 1,
    model: "m",
    choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }],
  });
const usage = { prompt_tokens: 5, completion_tokens: tokens };
const tail = `${eventOf({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}${eventOf({ choices: [], usage })}data: [DONE]\n\n`;
const events = Array.from({ length: tokens }, (_, i) => delta(` token${i}`));

function stream(response: ServerResponse, step: number, at = 0): void {
  if (at >= tokens) return void response.end(tail);
  response.write(events.slice(at, at + step).join(""));
  if (step === 1) setTimeout(stream, 1, response, step, at + step);
  else setImmediate(stream, response, step, at + step);
}

const server = createServer((request, response) => {
  request.resume().on("end", () => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    stream(response, request.url?.startsWith("/single/") === true ? 1 : lump);
  });
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => server.close(() => undefined).closeAllConnections());
