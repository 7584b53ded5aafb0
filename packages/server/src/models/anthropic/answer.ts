import type { Usage } from "@berth/contract";
import type { AnswerParser } from "../answer-parser.ts";
import type { ModelError, ModelFinish } from "../model.ts";
import { PartWriter } from "../part-writer.ts";
import { errorOfFault, readFault } from "../provider-error.ts";
import { redactedSignature, thinkingSignature } from "./signature.ts";
import { mergeUsage, type WireUsage } from "./usage.ts";

interface WireBlock {
  readonly type: string;
  readonly text?: string;
  readonly thinking?: string;
  readonly signature?: string;
  readonly data?: string;
  readonly name?: string;
  readonly input?: unknown;
}

interface WireEvent {
  readonly type: string;
  readonly index?: number;
  readonly message?: { readonly usage?: WireUsage };
  readonly content_block?: WireBlock;
  readonly delta?: {
    readonly type?: string;
    readonly text?: string;
    readonly thinking?: string;
    readonly signature?: string;
    readonly partial_json?: string;
    readonly stop_reason?: string | null;
  };
  readonly usage?: WireUsage;
}

interface OpenBlock {
  readonly type: string;
  /** Null for thinking of which nothing is shown. */
  block: number | null;
  signature: string;
  /** The input that came with a tool call's start: used when no pieces follow. */
  input: unknown;
}

const finishes: Readonly<Record<string, ModelFinish>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  pause_turn: "stop",
  tool_use: "tool_calls",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "content_filter",
};

/** Reads the events of the messages API. Block types that nobody asked for (server tools) are left out. */
export class MessagesAnswer implements AnswerParser {
  readonly writer = new PartWriter();
  readonly #open = new Map<number, OpenBlock>();
  #calls = 0;
  finish: ModelFinish | null = null;
  done = false;
  usage: Usage | null = null;
  error: ModelError | null = null;

  event(data: string): void {
    const event = JSON.parse(data) as WireEvent;
    const { index = -1 } = event;
    switch (event.type) {
      case "content_block_delta":
        return this.#delta(this.#open.get(index), event.delta ?? {});
      case "content_block_start":
        if (event.content_block !== undefined) this.#start(index, event.content_block);
        return;
      case "content_block_stop":
        return this.#stop(index);
      case "message_start":
        this.usage = mergeUsage(this.usage, event.message?.usage);
        return;
      case "message_delta":
        this.usage = mergeUsage(this.usage, event.usage);
        if (typeof event.delta?.stop_reason === "string")
          this.finish = this.#finishOf(event.delta.stop_reason);
        return;
      case "message_stop":
        this.finish ??= "stop";
        this.done = true;
        return;
      case "error":
        this.error = errorOfFault(readFault(event, 0));
        return;
      default:
        if (typeof event.type !== "string") throw new TypeError("an event has no type");
    }
  }

  whole(reply: unknown): void {
    const message = reply as {
      type?: unknown;
      content: readonly WireBlock[];
      stop_reason?: string;
      usage?: WireUsage;
    };
    if (message.type === "error") {
      this.error = errorOfFault(readFault(reply, 0));
      return;
    }
    for (const [index, block] of message.content.entries()) {
      this.#start(index, block);
      this.#stop(index);
    }
    this.usage = mergeUsage(null, message.usage);
    this.finish = this.#finishOf(message.stop_reason ?? "");
    this.done = true;
  }

  /** Servers that copy this API may end with `end_turn` what they end in calls. */
  #finishOf(reason: string): ModelFinish {
    const finish = finishes[reason] ?? "stop";
    return finish === "stop" && this.#calls > 0 ? "tool_calls" : finish;
  }

  #start(index: number, wire: WireBlock): void {
    const { writer } = this;
    writer.closeBlock();
    if (wire.type === "tool_use") {
      this.#calls++;
      this.#open.set(index, {
        type: wire.type,
        block: writer.toolCall(wire.name ?? ""),
        signature: "",
        input: wire.input,
      });
    } else if (wire.type === "thinking") {
      const block = wire.thinking ? writer.thinking(wire.thinking) : null;
      this.#open.set(index, { type: wire.type, block, signature: wire.signature ?? "", input: null });
    } else if (wire.type === "redacted_thinking") {
      writer.thinkingSignature(null, redactedSignature(wire.data ?? ""));
    } else if (wire.type === "text") writer.text(wire.text ?? "");
  }

  #delta(open: OpenBlock | undefined, delta: NonNullable<WireEvent["delta"]>): void {
    if (delta.type === "text_delta") this.writer.text(delta.text ?? "");
    else if (open === undefined) return;
    else if (delta.type === "thinking_delta") {
      if (delta.thinking) open.block = this.writer.thinking(delta.thinking);
    } else if (delta.type === "signature_delta") open.signature += delta.signature ?? "";
    else if (delta.type === "input_json_delta" && delta.partial_json && open.block !== null) {
      open.input = null;
      this.writer.toolInput(open.block, delta.partial_json);
    }
  }

  #stop(index: number): void {
    const open = this.#open.get(index);
    this.writer.closeBlock();
    if (open === undefined) return;
    this.#open.delete(index);
    if (open.type === "thinking" && open.signature !== "") {
      this.writer.thinkingSignature(open.block, thinkingSignature(open.signature));
    }
    if (open.block !== null && isFilled(open.input))
      this.writer.toolInput(open.block, JSON.stringify(open.input));
  }
}

function isFilled(input: unknown): boolean {
  return typeof input === "object" && input !== null && Object.keys(input).length > 0;
}
