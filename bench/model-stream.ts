// Part of T3: CPU per token of reading a model's stream through the OpenAI-compatible adapter and the model client, against
// fetch and undici's request with nothing but a split and JSON.parse, in the same run.
//   npm run bench -- model-stream [--tokens 500] [--streams 64] [--answers 300] [--rounds 5] [--shape lumps|single]
import { fork } from "node:child_process";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { request as undiciRequest } from "undici";
import { systemClock } from "../packages/server/src/lib/clock.ts";
import { createModelDispatcher } from "../packages/server/src/models/model-dispatcher.ts";
import { createOpenAiCompatible } from "../packages/server/src/models/openai-compatible/openai-compatible.ts";
import { createModelClient } from "../packages/server/src/models/retry.ts";
import { machine, median } from "./support/machine.ts";

const { values } = parseArgs({
  options: {
    tokens: { type: "string", default: "500" },
    streams: { type: "string", default: "64" },
    answers: { type: "string", default: "300" },
    rounds: { type: "string", default: "5" },
    shape: { type: "string", default: "single" },
    serve: { type: "boolean", default: false },
  },
});
const [tokens, streams, answers, rounds] = [values.tokens, values.streams, values.answers, values.rounds].map(
  Number,
) as [number, number, number, number];

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

/** The model, in a process of its own so that its CPU is not counted: a token per packet each ms, or 20 tokens at once. */
function serve(): void {
  const events = Array.from({ length: tokens }, (_, i) => delta(` token${i}`));
  const step = values.shape === "single" ? 1 : 20;
  const stream = (response: ServerResponse, at: number): void => {
    if (at >= tokens) return void response.end(tail);
    response.write(events.slice(at, at + step).join(""));
    if (step === 1) setTimeout(stream, 1, response, at + step);
    else setImmediate(stream, response, at + step);
  };
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      stream(response, 0);
    });
  });
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
  process.on("disconnect", () => server.close(() => undefined).closeAllConnections());
}

type Answer = () => Promise<number>;

/** The least that has to be done: whole events, parsed, their text looked at. */
async function parse(body: AsyncIterable<Uint8Array>): Promise<number> {
  const decoder = new TextDecoder();
  let rest = "";
  let characters = 0;
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    for (let end = rest.indexOf("\n\n"); end !== -1; end = rest.indexOf("\n\n")) {
      const data = rest.slice(6, end);
      rest = rest.slice(end + 2);
      if (data === "[DONE]") continue;
      const event = JSON.parse(data) as { choices: { delta: { content?: string } }[] };
      characters += event.choices[0]?.delta.content?.length ?? 0;
    }
  }
  return characters;
}

function contenders(baseUrl: string): Readonly<Record<string, Answer>> {
  const dispatcher = createModelDispatcher();
  const url = `${baseUrl}/chat/completions`;
  const adapter = createOpenAiCompatible({ baseUrl, apiKey: null, dispatcher });
  const info = {
    name: "p/m",
    provider: "p",
    contextWindow: 1,
    maxOutputTokens: null,
    price: null,
    demo: false,
  };
  const catalog = { resolve: () => ({ adapter, info, model: "m" }), list: async () => [info] };
  const client = createModelClient({ catalog, clock: systemClock });
  const never = new AbortController().signal;
  const request = { system: "", messages: [], tools: [], settings: {} };
  return {
    "fetch + parse": async () =>
      parse((await fetch(url, { method: "POST", body: "{}" })).body ?? new ReadableStream()),
    "undici + parse": async () =>
      parse((await undiciRequest(url, { method: "POST", body: "{}", dispatcher })).body),
    "model client": async () => {
      let characters = 0;
      for await (const parts of client.stream({ models: ["p/m"], request }, never)) {
        for (const part of parts) if (part.type === "text") characters += part.text.length;
      }
      return characters;
    },
  };
}

/** Microseconds of CPU per token. */
async function measure(answer: Answer): Promise<number> {
  let left = answers;
  const before = process.cpuUsage();
  const one = async (): Promise<void> => {
    while (left-- > 0) if ((await answer()) < tokens) throw new Error("an answer is too short");
  };
  await Promise.all(Array.from({ length: streams }, one));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (answers * tokens);
}

async function compare(): Promise<void> {
  const model = fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), "--serve"]);
  try {
    const port = await new Promise<number>((resolve) =>
      model.once("message", (message) => resolve(Number(message))),
    );
    const all = Object.entries(contenders(`http://127.0.0.1:${port}/v1`));
    for (const [, answer] of all) await measure(answer);
    const figures = new Map(all.map(([name]) => [name, [] as number[]]));
    for (let round = 0; round < rounds; round++) {
      for (const [name, answer] of all) figures.get(name)?.push(await measure(answer));
    }
    console.log(`machine: ${machine()}`);
    const shape = values.shape === "single" ? "one token per packet, 1 ms apart" : "20 tokens per packet";
    console.log(
      `settings: ${answers} answers of ${tokens} tokens, ${streams} at once, ${shape}, ${rounds} interleaved rounds, medians`,
    );
    const of = (name: string) => median(figures.get(name) ?? []);
    for (const [name] of all) console.log(`${name.padEnd(15)}${of(name).toFixed(2)} us CPU per token`);
    console.log(`ratio to fetch + parse: ${(of("model client") / of("fetch + parse")).toFixed(2)}`);
  } finally {
    model.disconnect();
  }
}

if (values.serve) serve();
else await compare();
