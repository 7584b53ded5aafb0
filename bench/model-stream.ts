// Part of T3: CPU per token of reading a model's stream through the OpenAI-compatible adapter and the model client, against
// fetch and undici's request with nothing but a split and JSON.parse, in the same run.
//   npm run bench -- model-stream [--tokens 500] [--streams 64] [--answers 300] [--rounds 5] [--json file]
import { join } from "node:path";
import { request as undiciRequest } from "undici";
import { systemClock } from "../packages/server/src/lib/clock.ts";
import { createModelDispatcher } from "../packages/server/src/models/model-dispatcher.ts";
import { createOpenAiCompatible } from "../packages/server/src/models/openai-compatible/openai-compatible.ts";
import { createModelClient } from "../packages/server/src/models/retry.ts";
import { about } from "./support/about.ts";
import { startChild } from "./support/child.ts";
import { median } from "./support/machine.ts";
import { readOptions } from "./support/options.ts";
import { tell } from "./support/tell.ts";

const options = readOptions({ tokens: 500, streams: 64, answers: 300, rounds: 5 });
const { tokens, streams, answers, rounds } = options;
/** How an answer comes: the path of the double, and what it is called here. */
const shapes = { single: "one token in a packet", lumps: "twenty in a packet" } as const;
type Shape = keyof typeof shapes;

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

const names = ["fetch and parse", "undici and parse", "model client"] as const;
type Name = (typeof names)[number];

function contenders(baseUrl: string): Readonly<Record<Name, Answer>> {
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
    "fetch and parse": async () =>
      parse((await fetch(url, { method: "POST", body: "{}" })).body ?? new ReadableStream()),
    "undici and parse": async () =>
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

const model = await startChild(join(import.meta.dirname, "support/model-stream/model-double.ts"), [
  String(tokens),
]);
try {
  const where = about();
  const base = `http://127.0.0.1:${model.port}`;
  const asked = { single: contenders(`${base}/single`), lumps: contenders(`${base}/lumps`) };
  const found = new Map<string, number[]>();
  for (let round = -1; round < rounds; round++) {
    for (const shape of Object.keys(shapes) as Shape[]) {
      for (const [name, answer] of Object.entries(asked[shape])) {
        const figure = await measure(answer);
        // The first round warms up.
        if (round >= 0) found.set(`${shape}/${name}`, [...(found.get(`${shape}/${name}`) ?? []), figure]);
      }
    }
  }
  const of = (shape: Shape, name: Name) => median(found.get(`${shape}/${name}`) ?? []);
  const all = Object.entries(shapes) as [Shape, string][];
  tell({
    about: where,
    settings: `${answers} answers of ${tokens} tokens, ${streams} at once, ${rounds} interleaved rounds, medians`,
    results: Object.fromEntries(found),
    rows: [
      ["packets", ...names.map((name) => `${name}, CPU us per token`)],
      ...all.map(([shape, what]) => [what, ...names.map((name) => of(shape, name).toFixed(2))]),
    ],
    verdicts: all.map(([shape, what]) => ({
      id: "",
      what: `model client to fetch and parse, ${what}`,
      value: of(shape, "model client") / of(shape, "fetch and parse"),
      target: null,
      beyond: null,
    })),
    options,
  });
} finally {
  await model.stop();
}
