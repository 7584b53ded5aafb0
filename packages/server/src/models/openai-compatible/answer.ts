import type { Usage } from "@berth/contract";
import type { AnswerParser } from "../answer-parser.ts";
import type { ModelError, ModelFinish } from "../model.ts";
import { modelError } from "../model-error.ts";
import { PartWriter } from "../part-writer.ts";
import { errorOfFault, readFault } from "../provider-error.ts";
import { type ToolCallDelta, ToolCallSlots } from "./tool-call-slots.ts";
import { usageOf } from "./usage.ts";

interface Delta {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly refusal?: unknown;
  readonly tool_calls?: unknown;
}

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: Delta;
    readonly message?: Delta;
    readonly finish_reason?: unknown;
  }[];
  readonly usage?: unknown;
  readonly error?: unknown;
}

const finishes: Readonly<Record<string, ModelFinish>> = {
  stop: "stop",
  length: "length",
  tool_calls: "tool_calls",
  function_call: "tool_calls",
  content_filter: "content_filter",
};

/** Reads the chunks of a chat completion. */
export class ChatAnswer implements AnswerParser {
  readonly writer = new PartWriter();
  readonly #calls = new ToolCallSlots(this.writer);
  finish: ModelFinish | null = null;
  done = false;
  usage: Usage | null = null;
  error: ModelError | null = null;

  event(data: string): void {
    if (data.charCodeAt(0) === 91 && data === "[DONE]") return this.#end();
    this.#take(JSON.parse(data) as Chunk);
  }

  whole(reply: unknown): void {
    this.#take(reply as Chunk);
    if (this.error === null) this.#end();
  }

  #take(chunk: Chunk): void {
    const { choices, usage } = chunk;
    if (chunk.error !== undefined && chunk.error !== null) {
      this.error = errorOfFault(readFault(chunk, 0));
      return;
    }
    if (usage !== undefined && usage !== null) this.usage = usageOf(usage);
    const choice = choices?.[0];
    if (choice === undefined || choice === null) return;
    const delta = choice.delta ?? choice.message;
    if (delta !== undefined && delta !== null) this.#delta(delta);
    if (typeof choice.finish_reason === "string" && choice.finish_reason !== "")
      this.#stopped(choice.finish_reason);
  }

  #delta(delta: Delta): void {
    const reasoning = delta.reasoning_content ?? delta.reasoning;
    if (typeof reasoning === "string" && reasoning !== "") this.writer.thinking(reasoning);
    const { content } = delta;
    if (typeof content === "string") {
      if (content !== "") this.writer.text(content);
    } else if (Array.isArray(content)) this.#contentParts(content);
    if (typeof delta.refusal === "string" && delta.refusal !== "") this.writer.text(delta.refusal);
    if (Array.isArray(delta.tool_calls)) this.#calls.take(delta.tool_calls as readonly ToolCallDelta[]);
  }

  /** Mistral's reasoning models send `[{type: "thinking", thinking: [{type: "text", text}]}]`. */
  #contentParts(
    parts: readonly { readonly type?: unknown; readonly text?: unknown; readonly thinking?: unknown }[],
  ): void {
    for (const part of parts) {
      if (typeof part.text === "string" && part.text !== "") this.writer.text(part.text);
      if (!Array.isArray(part.thinking)) continue;
      for (const { text } of part.thinking as readonly { text?: unknown }[]) {
        if (typeof text === "string" && text !== "") this.writer.thinking(text);
      }
    }
  }

  #stopped(reason: string): void {
    if (reason === "insufficient_system_resource") {
      this.error = modelError("overloaded", "the model provider is out of resources and stopped the answer");
    } else if (reason === "error") {
      this.error = modelError("server_error", "the model provider stopped the answer with an error");
    } else {
      this.#calls.end();
      const finish = finishes[reason] ?? "stop";
      this.finish = finish === "stop" && this.#calls.count > 0 ? "tool_calls" : finish;
    }
  }

  #end(): void {
    this.#calls.end();
    this.done = true;
    if (this.finish !== null) return;
    if (this.writer.blocks === 0)
      this.error = modelError("bad_response", "the model provider sent an empty answer");
    else this.finish = this.#calls.count > 0 ? "tool_calls" : "stop";
  }
}
