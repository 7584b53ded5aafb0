import type { ModelRequest } from "../model.ts";
import { wireMessages, type WireMessage } from "./messages.ts";

/** Each is left out, or sent in another form, for a model that has refused it. */
export const optionalFields = [
  "max_completion_tokens",
  "max_tokens",
  "reasoning_effort",
  "reasoning_content",
  "stream_options",
  "temperature",
  "top_p",
] as const;
export type OptionalField = (typeof optionalFields)[number];

export interface WireRequest {
  readonly model: string;
  readonly messages: readonly WireMessage[];
  readonly stream: true;
  readonly stream_options?: { readonly include_usage: true };
  readonly tools?: readonly unknown[];
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly reasoning_effort?: string;
}

export interface RequestOptions {
  /** OpenAI itself: newer field names, and no reasoning of other providers. */
  readonly openai: boolean;
  readonly refused: ReadonlySet<OptionalField>;
}

/** The body of a chat completion that streams. */
export function wireRequest(request: ModelRequest, { openai, refused }: RequestOptions): WireRequest {
  const { settings, tools } = request;
  const reasoning = !openai && !refused.has("reasoning_content");
  const { temperature, topP, reasoning: effort } = settings;
  return {
    model: request.model,
    messages: wireMessages(request.system, request.messages, { reasoning }),
    stream: true,
    ...(refused.has("stream_options") ? {} : { stream_options: { include_usage: true } }),
    ...(tools.length === 0 ? {} : { tools: tools.map(wireTool) }),
    ...maxTokens(settings.maxOutputTokens, openai, refused),
    ...(temperature === undefined || refused.has("temperature") ? {} : { temperature }),
    ...(topP === undefined || refused.has("top_p") ? {} : { top_p: topP }),
    ...(effort === undefined || refused.has("reasoning_effort") ? {} : { reasoning_effort: effort }),
  };
}

function wireTool({ name, description, inputSchema }: ModelRequest["tools"][number]): unknown {
  return { type: "function", function: { name, description, parameters: inputSchema } };
}

/** OpenAI's newer models refuse `max_tokens`, most other servers know nothing else: the one that is refused gives way to the other. */
function maxTokens(limit: number | undefined, openai: boolean, refused: ReadonlySet<OptionalField>) {
  if (limit === undefined) return {};
  const [first, second] = openai
    ? (["max_completion_tokens", "max_tokens"] as const)
    : (["max_tokens", "max_completion_tokens"] as const);
  if (!refused.has(first)) return { [first]: limit };
  return refused.has(second) ? {} : { [second]: limit };
}
