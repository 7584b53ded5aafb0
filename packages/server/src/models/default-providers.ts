import type { ModelProvider } from "./model-provider.ts";

/** What the usual variables hold; null where one is not set. */
export interface ProviderKeys {
  readonly openaiApiKey?: string | null;
  readonly openaiBaseUrl?: string | null;
  readonly anthropicApiKey?: string | null;
  readonly anthropicBaseUrl?: string | null;
  readonly deepseekApiKey?: string | null;
  readonly groqApiKey?: string | null;
  readonly mistralApiKey?: string | null;
  readonly geminiApiKey?: string | null;
  readonly openrouterApiKey?: string | null;
  readonly xaiApiKey?: string | null;
}

type Key = Exclude<keyof ProviderKeys, "openaiBaseUrl" | "anthropicBaseUrl">;
type Known = Pick<ModelProvider, "name" | "kind" | "baseUrl" | "package"> & { readonly key: Key };

const hosted: readonly Known[] = [
  {
    name: "deepseek",
    key: "deepseekApiKey",
    kind: "openai-compatible",
    baseUrl: "https://api.deepseek.com/v1",
  },
  { name: "groq", key: "groqApiKey", kind: "openai-compatible", baseUrl: "https://api.groq.com/openai/v1" },
  { name: "mistral", key: "mistralApiKey", kind: "ai-sdk", package: "@ai-sdk/mistral" },
  { name: "google", key: "geminiApiKey", kind: "ai-sdk", package: "@ai-sdk/google" },
  {
    name: "openrouter",
    key: "openrouterApiKey",
    kind: "openai-compatible",
    baseUrl: "https://openrouter.ai/api/v1",
  },
  { name: "xai", key: "xaiApiKey", kind: "openai-compatible", baseUrl: "https://api.x.ai/v1" },
];

/** The demo that needs no key, and the models of the fault tests. */
export const demoProvider: ModelProvider = {
  name: "demo",
  kind: "scripted",
  apiKey: null,
  models: [{ name: "tour" }],
};
export const scriptedProvider: ModelProvider = {
  name: "scripted",
  kind: "scripted",
  apiKey: null,
  models: [{ name: "script" }, { name: "echo" }],
};

/** The providers for which there is a key, or a base URL of one's own that needs none. */
export function defaultProviders(keys: ProviderKeys): readonly ModelProvider[] {
  const { openaiApiKey, openaiBaseUrl, anthropicApiKey, anthropicBaseUrl } = keys;
  const found: ModelProvider[] = [];
  if (openaiApiKey || openaiBaseUrl) {
    const baseUrl = openaiBaseUrl || "https://api.openai.com/v1";
    found.push({
      name: "openai",
      kind: "openai-compatible",
      baseUrl,
      apiKey: openaiApiKey || null,
      models: [],
    });
  }
  if (anthropicApiKey || anthropicBaseUrl) {
    const baseUrl = anthropicBaseUrl || "https://api.anthropic.com";
    found.push({
      name: "anthropic",
      kind: "anthropic",
      baseUrl,
      apiKey: anthropicApiKey || null,
      models: [],
    });
  }
  for (const { key, ...provider } of hosted) {
    const apiKey = keys[key];
    if (apiKey) found.push({ ...provider, apiKey, models: [] });
  }
  return found;
}

type Place = Required<Pick<ModelProvider, "baseUrl">> & { readonly kind: "openai-compatible" | "anthropic" };

const openAiLike = (baseUrl: string): Place => ({ kind: "openai-compatible", baseUrl });

const places: Readonly<Record<string, Place>> = {
  openai: openAiLike("https://api.openai.com/v1"),
  anthropic: { kind: "anthropic", baseUrl: "https://api.anthropic.com" },
  deepseek: openAiLike("https://api.deepseek.com/v1"),
  groq: openAiLike("https://api.groq.com/openai/v1"),
  mistral: openAiLike("https://api.mistral.ai/v1"),
  google: openAiLike("https://generativelanguage.googleapis.com/v1beta/openai"),
  openrouter: openAiLike("https://openrouter.ai/api/v1"),
  xai: openAiLike("https://api.x.ai/v1"),
};

/** Where the provider of a well-known name is; null for other names. */
export function wellKnownPlace(name: string): Place | null {
  return Object.hasOwn(places, name) ? (places[name] ?? null) : null;
}
