// The model of the turn benches, in a process of its own: OpenAI chat completions over HTTP, 20 tokens. What it does is in the
// model's name: `at-once` sends all of them in one packet, `tokens` one packet each, 2 ms apart, `tool` calls todo_read first.
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const tokens = 20;
const apartMs = 2;

/** Stands for the ids of an answer and its call until it is sent: no two answers have the same, as with a real provider. */
const placeholder = "@id@";

const eventOf = (chunk: object) =>
  `data: ${JSON.stringify({ id: `chatcmpl-${placeholder}`, object: "chat.completion.chunk", created: 1, model: "m", ...chunk })}\n\n`;
const choice = (delta: object, finish: string | null = null) =>
  eventOf({ choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] });
const end = (finish: string) =>
  `${choice({}, finish)}${eventOf({ choices: [], usage: { prompt_tokens: 20, completion_tokens: tokens } })}data: [DONE]\n\n`;

// A message begins with its role: the clients of some peers do not know what it is without one.
const role = "assistant";
const words = Array.from({ length: tokens }, (_, i) =>
  choice({ ...(i === 0 && { role }), content: ` token${i}` }),
);
const answer = words.join("") + end("stop");
const toolCall =
  choice({
    role,
    content: null,
    tool_calls: [
      {
        index: 0,
        id: `call_${placeholder}`,
        type: "function",
        function: { name: "todo_read", arguments: "{}" },
      },
    ],
  }) + end("tool_calls");

function sendTokens(response: ServerResponse, id: string, at = 0): void {
  const word = words[at];
  if (word === undefined) return void response.end(end("stop").replaceAll(placeholder, id));
  response.write(word.replaceAll(placeholder, id));
  setTimeout(sendTokens, apartMs, response, id, at + 1);
}

interface Asked {
  readonly model: string;
  readonly messages: readonly { readonly role: string }[];
}

const list = JSON.stringify({ data: ["at-once", "tokens", "tool"].map((id) => ({ id, object: "model" })) });

let answers = 0;
const server = createServer((request, response) => {
  if (request.method === "GET") return void response.setHeader("content-type", "application/json").end(list);
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { model, messages } = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
    response.writeHead(200, { "content-type": "text/event-stream" });
    const id = String((answers += 1));
    if (model === "tokens") return sendTokens(response, id);
    const calls = model === "tool" && messages.at(-1)?.role !== "tool";
    response.end((calls ? toolCall : answer).replaceAll(placeholder, id));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => server.close().closeAllConnections());
