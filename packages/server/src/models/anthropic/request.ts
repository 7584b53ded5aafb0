import { knownModel } from "../known-models.ts";
import type { ModelRequest } from "../model.ts";
import { type WireBlock, type WireMessage, wireMessages } from "./messages.ts";
import { type ThinkingFields, thinkingFields } from "./thinking.ts";

export interface WireRequest extends ThinkingFields {
  readonly model: string;
  readonly max_tokens: number;
  readonly stream: true;
  readonly messages: readonly WireMessage[];
  readonly system?: readonly WireBlock[];
  readonly tools?: readonly unknown[];
  readonly temperature?: number;
  readonly top_p?: number;
}

/** Each is left out for a model that has refused it. */
export const optionalFields = ["output_config", "thinking", "temperature", "top_p"] as const;
export type OptionalField = (typeof optionalFields)[number];

const defaultMaxTokens = 32_000;
const unknownModelMaxTokens = 8_192;
const ephemeral = { type: "ephemeral" } as const;

/** The body of a call of the messages API that streams. */
export function wireRequest(request: ModelRequest, refused: ReadonlySet<OptionalField>): WireRequest {
  const { settings, system, tools } = request;
  const messages = wireMessages(request.messages);
  const maxTokens = maxTokensOf(request);
  const { thinking, output_config } = thinkingFields(request, messages, maxTokens);
  const thinks = thinking !== undefined && thinking["type"] !== "disabled" && !refused.has("thinking");
  markForCache(messages);
  return {
    model: request.model,
    max_tokens: maxTokens,
    stream: true,
    messages,
    ...(system.trim() === "" ? {} : { system: [{ type: "text", text: system, cache_control: ephemeral }] }),
    ...(tools.length === 0 ? {} : { tools: tools.map(wireTool) }),
    ...(thinking === undefined || refused.has("thinking") ? {} : { thinking }),
    ...(output_config === undefined || refused.has("output_config") ? {} : { output_config }),
    ...sampling(settings, thinks, refused),
  };
}

/** Sampling cannot be set together with thinking, and newer models take one of the two fields at most. */
function sampling(
  { temperature, topP }: ModelRequest["settings"],
  thinks: boolean,
  refused: ReadonlySet<OptionalField>,
) {
  if (thinks) return {};
  if (temperature !== undefined && !refused.has("temperature"))
    return { temperature: Math.min(1, temperature) };
  return topP !== undefined && !refused.has("top_p") ? { top_p: topP } : {};
}

function wireTool({ name, description, inputSchema }: ModelRequest["tools"][number]): unknown {
  return { name, description, input_schema: inputSchema };
}

/** The API insists on a limit: the model's own, so that a long file can be written, unless the agent says less. */
function maxTokensOf({ model, settings }: ModelRequest): number {
  const largest = knownModel(null, model)?.maxOutputTokens;
  const wanted =
    settings.maxOutputTokens ?? (largest === undefined ? unknownModelMaxTokens : defaultMaxTokens);
  return largest === undefined ? wanted : Math.min(wanted, largest);
}

/**
 * Marks the end of the last two messages of the user side, beside the system text (which has the tools before it): the next
 * call of the same turn finds its whole prefix in the cache. Four marks are allowed.
 */
function markForCache(messages: readonly WireMessage[]): void {
  const ends = messages.filter((message) => message.role === "user").slice(-2);
  for (const { content } of ends) {
    const last = content.at(-1);
    if (last !== undefined) content[content.length - 1] = { ...last, cache_control: ephemeral };
  }
}
