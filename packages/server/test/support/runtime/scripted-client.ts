import type { ModelCall, ModelClient, ModelPart, Models } from "../../../src/models/model.ts";

/** What a test's model says to a request: parts, whole or as they come. */
export type Answer = (
  call: ModelCall,
  signal: AbortSignal,
) => readonly ModelPart[] | AsyncIterable<readonly ModelPart[]>;

const info = {
  name: "test/model",
  provider: "test",
  contextWindow: 128_000,
  maxOutputTokens: null,
  price: null,
  demo: false,
};

/** A model client whose answers are a function of the request. Everybody has the same models. */
export function scriptedClient(answer: Answer, contextWindow = 128_000): Models {
  const client: ModelClient = {
    knows: () => true,
    info: () => ({ ...info, contextWindow }),
    cost: () => null,
    list: async () => [info],
    async *stream(call, signal) {
      const parts = answer(call, signal);
      if (Symbol.asyncIterator in parts) yield* parts;
      else yield parts;
    },
  };
  return { ...client, of: () => ({ ...client, ready: async () => {} }) };
}

const usage = {
  inputTokens: 10,
  outputTokens: 5,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};

export function text(words: string): readonly ModelPart[] {
  return [
    { type: "text", block: 0, text: words },
    { type: "usage", usage },
    { type: "finish", finish: "stop" },
  ];
}

export function calls(...tools: readonly (readonly [name: string, input: unknown])[]): readonly ModelPart[] {
  return [
    ...tools.flatMap(([name, input], block): ModelPart[] => [
      { type: "tool_call", block, name },
      { type: "tool_input", block, text: JSON.stringify(input) },
    ]),
    { type: "usage", usage },
    { type: "finish", finish: "tool_calls" },
  ];
}

/** How many answers the model has given in this conversation since the user last spoke. */
export function turnOf(call: ModelCall): number {
  const { messages } = call.request;
  const lastUser = messages.findLastIndex((message) => message.role === "user");
  return messages.slice(lastUser).filter((message) => message.role === "assistant").length;
}
