import type { LanguageModelV4StreamPart, LanguageModelV4Usage } from "@ai-sdk/provider";
import type { Usage } from "@berth/contract";
import type { ModelError, ModelFinish } from "../model.ts";
import { modelError } from "../model-error.ts";
import { PartWriter } from "../part-writer.ts";
import { errorOfThrown } from "./thrown-error.ts";
import { metadataSignature } from "./signature.ts";

/** Reads what a provider's `doStream` yields. */
export class ProviderAnswer {
  readonly writer = new PartWriter();
  readonly #thinking = new Map<string, number>();
  readonly #origin: string;
  #calls = 0;
  finish: ModelFinish | null = null;
  usage: Usage | null = null;
  error: ModelError | null = null;

  constructor(origin: string) {
    this.#origin = origin;
  }

  take(part: LanguageModelV4StreamPart): void {
    const { writer } = this;
    switch (part.type) {
      case "text-start":
      case "text-end":
        return writer.closeBlock();
      case "text-delta":
        return writer.text(part.delta);
      case "reasoning-start":
        return writer.closeBlock();
      case "reasoning-delta":
        if (part.delta !== "") this.#thinking.set(part.id, writer.thinking(part.delta));
        return;
      case "reasoning-end": {
        const signature = metadataSignature(part.providerMetadata);
        if (signature !== undefined) writer.thinkingSignature(this.#thinking.get(part.id) ?? null, signature);
        return writer.closeBlock();
      }
      // The whole call comes with its metadata, which the pieces before it may lack.
      case "tool-call":
        if (part.providerExecuted === true) return;
        this.#calls++;
        return writer.toolInput(
          writer.toolCall(part.toolName, metadataSignature(part.providerMetadata)),
          part.input,
        );
      case "error":
        this.error = errorOfThrown(part.error, { origin: this.#origin, answered: true, now: 0 });
        return;
      case "finish":
        this.usage = usageOf(part.usage);
        return this.#finished(part.finishReason);
      default:
    }
  }

  #finished({ unified, raw }: Extract<LanguageModelV4StreamPart, { type: "finish" }>["finishReason"]): void {
    // Some servers end with `stop` what they end in calls.
    const called = this.#calls > 0 && (unified === "stop" || (unified === "other" && raw !== undefined));
    if (unified === "tool-calls" || called) this.finish = "tool_calls";
    else if (unified === "content-filter") this.finish = "content_filter";
    else if (unified === "stop" || unified === "length") this.finish = unified;
    else if (unified === "other" && raw !== undefined) this.finish = "stop";
    else if (unified === "error")
      this.error = modelError("server_error", "the model provider stopped the answer");
    else this.error = this.#interrupted();
  }

  #interrupted(): ModelError {
    if (this.writer.blocks > 0) return modelError("cut_off", "the model's answer ended in the middle");
    return modelError("bad_response", "the model provider sent an empty answer");
  }
}

function usageOf({ inputTokens, outputTokens }: LanguageModelV4Usage): Usage | null {
  if (inputTokens.total === undefined && outputTokens.total === undefined) return null;
  return {
    inputTokens: inputTokens.total ?? 0,
    outputTokens: outputTokens.total ?? 0,
    cacheReadTokens: inputTokens.cacheRead ?? 0,
    cacheWriteTokens: inputTokens.cacheWrite ?? 0,
    reasoningTokens: outputTokens.reasoning ?? 0,
  };
}
