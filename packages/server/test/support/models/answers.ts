import type {
  ModelAdapter,
  ModelError,
  ModelFinish,
  ModelPart,
  ModelRequest,
} from "../../../src/models/model.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import type { ModelTimeouts } from "../../../src/models/model-timeouts.ts";
import type { Usage } from "@berth/contract";

/** What a test wants a model to say, in no provider's words. */
export interface Answer {
  readonly steps: readonly AnswerStep[];
  readonly finish: ModelFinish;
  readonly usage: { readonly input: number; readonly output: number };
}

export type AnswerStep =
  | { readonly text: readonly string[] }
  | { readonly thinking: readonly string[] }
  /** Calls that the model makes side by side. */
  | { readonly calls: readonly { readonly name: string; readonly pieces: readonly string[] }[] };

export const usage = { input: 31, output: 17 };

/** One provider's format: how its side of the wire looks, and the adapter that reads it. */
export interface Dialect {
  readonly name: string;
  /** Server-sent events, one string each, empty line included. */
  events(answer: Answer): readonly string[];
  /** The same without what ends the last block and the answer. */
  openEvents(answer: Answer): readonly string[];
  /** An event by which the provider reports an overload in the middle of its stream. */
  readonly overloaded: string;
  /** Body of an error reply. */
  fault(status: number, message: string): string;
  adapter(options: AdapterOptions): ModelAdapter;
}

export interface AdapterOptions {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly clock?: Clock;
  readonly timeouts?: Partial<ModelTimeouts>;
}

export const plainRequest: ModelRequest = {
  model: "test-model",
  system: "Be brief.",
  messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }],
  tools: [
    {
      name: "add",
      description: "Adds",
      inputSchema: { type: "object", properties: { a: { type: "number" } } },
    },
    {
      name: "look",
      description: "Looks",
      inputSchema: { type: "object", properties: { at: { type: "string" } } },
    },
  ],
  settings: {},
};

export type Block =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly text: string; readonly signature?: string }
  | { readonly type: "tool_call"; readonly name: string; readonly input: string };

export interface Collected {
  readonly blocks: readonly Block[];
  readonly usage: Usage | null;
  readonly finish: ModelFinish | null;
  readonly error: ModelError | null;
  /** Arrays that came. */
  readonly batches: number;
  readonly parts: readonly ModelPart[];
}

/** Reads a stream to its end and puts its blocks together; throws where the port's rules are broken. */
export async function collect(stream: AsyncIterable<readonly ModelPart[]>): Promise<Collected> {
  const parts: ModelPart[] = [];
  let batches = 0;
  for await (const batch of stream) {
    batches++;
    parts.push(...batch);
  }
  return { ...fold(parts), batches, parts };
}

type Draft = { type: "text" | "thinking" | "tool_call"; text: string; name: string; signature?: string };

export function fold(parts: readonly ModelPart[]): Omit<Collected, "batches" | "parts"> {
  const drafts: Draft[] = [];
  const at = (block: number, type: Draft["type"], mayBegin: boolean): Draft => {
    if (mayBegin && block === drafts.length) drafts.push({ type, text: "", name: "" });
    const draft = drafts[block];
    if (draft?.type !== type)
      throw new Error(`a part of type ${type} came for block ${block}, which is ${draft?.type}`);
    return draft;
  };
  let used: Usage | null = null;
  let finish: ModelFinish | null = null;
  let error: ModelError | null = null;
  for (const [index, part] of parts.entries()) {
    if (part.type === "text") at(part.block, "text", true).text += part.text;
    else if (part.type === "thinking") {
      const draft = at(part.block, "thinking", true);
      draft.text += part.text;
      if (part.signature !== undefined) draft.signature = part.signature;
    } else if (part.type === "tool_call") {
      if (part.block !== drafts.length)
        throw new Error(`a tool call began as block ${part.block} of ${drafts.length}`);
      at(part.block, "tool_call", true).name = part.name;
    } else if (part.type === "tool_input") at(part.block, "tool_call", false).text += part.text;
    else if (part.type === "usage") {
      if (used !== null) throw new Error("usage came twice");
      used = part.usage;
    } else if (part.type === "finish" || part.type === "error") {
      if (index !== parts.length - 1) throw new Error(`${part.type} is not the last part`);
      if (part.type === "finish") finish = part.finish;
      else error = part.error;
    }
  }
  if (finish === null && error === null) throw new Error("the stream has neither finish nor error");
  return { blocks: drafts.map(blockOf), usage: used, finish, error };
}

function blockOf({ type, text, name, signature }: Draft): Block {
  if (type === "tool_call") return { type, name, input: text };
  return type === "thinking" && signature !== undefined ? { type, text, signature } : { type, text };
}
