import type { ModelInfo } from "@berth/contract";
import type { ModelTimeouts } from "./model-timeouts.ts";

export type ProviderKind = "openai-compatible" | "anthropic" | "ai-sdk" | "scripted";

/** A place where models are, as data. Which adapter speaks to it follows from its kind. */
export interface ModelProvider {
  /** What its models' names begin with. */
  readonly name: string;
  readonly kind: ProviderKind;
  /** Needed for `openai-compatible` and `anthropic`. */
  readonly baseUrl?: string;
  readonly apiKey: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeouts?: Partial<ModelTimeouts>;
  /** Needed for `ai-sdk`: the provider package. */
  readonly package?: string;
  /** What is said of single models. Empty: those that are well known at it, or those that it lists itself. */
  readonly models: readonly ProviderModel[];
}

export interface ProviderModel {
  readonly name: string;
  readonly contextWindow?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly price?: NonNullable<ModelInfo["price"]> | undefined;
}

const makers: Readonly<Record<string, string>> = {
  "api.openai.com": "openai",
  "api.anthropic.com": "anthropic",
  "api.deepseek.com": "deepseek",
  "api.x.ai": "xai",
  "api.groq.com": "groq",
  "api.mistral.ai": "mistral",
  "generativelanguage.googleapis.com": "google",
  "openrouter.ai": "openrouter",
  "@ai-sdk/google": "google",
  "@ai-sdk/mistral": "mistral",
};

/** Whose models a provider has, by where it is and not by how it is called. Null for a server of one's own. */
export function makerOf({ baseUrl, package: name }: ModelProvider): string | null {
  if (baseUrl !== undefined) return makers[URL.parse(baseUrl)?.hostname ?? ""] ?? null;
  return makers[name ?? ""] ?? null;
}
