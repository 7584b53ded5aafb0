import type { ModelInfo } from "@berth/contract";

export interface KnownModel {
  readonly provider: string;
  readonly contextWindow: number;
  readonly maxOutputTokens: number;
  readonly price: NonNullable<ModelInfo["price"]>;
}

/**
 * Name prefix, context window and largest output in tokens, then US dollars for a million tokens: input, output, and where
 * they differ from input, cache read and cache write.
 */
type Row = readonly [string, number, number, number, number, number?, number?];

/**
 * Well-known models. Sources: models.dev (commit of 2026-07-02), for later ones the makers' own model pages as of 2026-11-21.
 * Prices are the list prices of short prompts; surcharges for very long ones are not in them. Config overrides each value. The
 * first of each provider is the one that an agent gets when nobody names one: good at tools and of a middling price.
 */
const table: Readonly<Record<string, readonly Row[]>> = {
  openai: [
    ["gpt-6.2-sol", 1_050_000, 128_000, 2, 10, 0.1, 2.5],
    ["gpt-6.2-astra", 1_050_000, 128_000, 8, 40, 0.32, 10],
    ["gpt-6.1-sol", 1_050_000, 128_000, 2, 10, 0.1, 2.5],
    ["gpt-6-astra", 1_050_000, 128_000, 10, 50, 1, 12.5],
    ["gpt-6-sol", 1_050_000, 128_000, 2, 10, 0.2, 2.5],
    ["gpt-6-luna", 1_050_000, 128_000, 0.1, 0.5, 0.01, 0.125],
    ["gpt-5.6-sol", 1_050_000, 128_000, 4, 20, 0.4],
    ["gpt-5.6-terra", 1_050_000, 128_000, 2, 12, 0.2],
    ["gpt-5.6-luna", 1_050_000, 128_000, 0.2, 1.2, 0.02],
    ["gpt-5.5-pro", 1_050_000, 128_000, 30, 180],
    ["gpt-5.5", 1_050_000, 128_000, 5, 30, 0.5],
    ["gpt-5.4-pro", 1_050_000, 128_000, 30, 180],
    ["gpt-5.4-mini", 400_000, 128_000, 0.75, 4.5, 0.075],
    ["gpt-5.4-nano", 400_000, 128_000, 0.2, 1.25, 0.02],
    ["gpt-5.4", 1_050_000, 128_000, 2.5, 15, 0.25],
    ["gpt-5.3-chat-latest", 128_000, 16_384, 1.75, 14, 0.175],
    ["gpt-5.3-codex", 400_000, 128_000, 1.75, 14, 0.175],
    ["gpt-5.2-chat-latest", 128_000, 16_384, 1.75, 14, 0.175],
    ["gpt-5.2-pro", 400_000, 128_000, 21, 168],
    ["gpt-5.2", 400_000, 128_000, 1.75, 14, 0.175],
    ["gpt-5.1-chat-latest", 128_000, 16_384, 1.25, 10, 0.125],
    ["gpt-5.1-codex-mini", 400_000, 128_000, 0.25, 2, 0.025],
    ["gpt-5.1", 400_000, 128_000, 1.25, 10, 0.125],
    ["gpt-5-pro", 400_000, 272_000, 15, 120],
    ["gpt-5-mini", 400_000, 128_000, 0.25, 2, 0.025],
    ["gpt-5-nano", 400_000, 128_000, 0.05, 0.4, 0.005],
    ["gpt-5", 400_000, 128_000, 1.25, 10, 0.125],
    ["gpt-4.1-mini", 1_047_576, 32_768, 0.4, 1.6, 0.1],
    ["gpt-4.1-nano", 1_047_576, 32_768, 0.1, 0.4, 0.025],
    ["gpt-4.1", 1_047_576, 32_768, 2, 8, 0.5],
    ["gpt-4o-mini", 128_000, 16_384, 0.15, 0.6, 0.075],
    ["gpt-4o-2024-05-13", 128_000, 4_096, 5, 15],
    ["gpt-4o", 128_000, 16_384, 2.5, 10, 1.25],
    ["gpt-4-turbo", 128_000, 4_096, 10, 30],
    ["gpt-4", 8_192, 8_192, 30, 60],
    ["o4-mini", 200_000, 100_000, 1.1, 4.4, 0.275],
    ["o3-pro", 200_000, 100_000, 20, 80],
    ["o3-mini", 200_000, 100_000, 1.1, 4.4, 0.55],
    ["o3", 200_000, 100_000, 2, 8, 0.5],
    ["o1", 200_000, 100_000, 15, 60, 7.5],
  ],
  anthropic: [
    ["claude-sonnet-5-5", 1_000_000, 128_000, 2, 10, 0.2, 2.5],
    ["claude-fable-5", 1_000_000, 128_000, 10, 50, 1, 12.5],
    ["claude-opus-5-5", 1_000_000, 128_000, 4, 20, 0.4, 5],
    ["claude-haiku-5-5", 1_000_000, 128_000, 0.1, 0.5, 0.01, 0.125],
    ["claude-opus-5", 1_000_000, 128_000, 5, 25, 0.5, 6.25],
    ["claude-sonnet-5", 1_000_000, 128_000, 2, 10, 0.2, 2.5],
    ["claude-opus-4-8", 1_000_000, 128_000, 5, 25, 0.5, 6.25],
    ["claude-opus-4-7", 1_000_000, 128_000, 5, 25, 0.5, 6.25],
    ["claude-opus-4-6", 1_000_000, 128_000, 5, 25, 0.5, 6.25],
    ["claude-opus-4-5", 200_000, 64_000, 5, 25, 0.5, 6.25],
    ["claude-opus-4", 200_000, 32_000, 15, 75, 1.5, 18.75],
    ["claude-sonnet-4-6", 1_000_000, 64_000, 3, 15, 0.3, 3.75],
    ["claude-sonnet-4", 200_000, 64_000, 3, 15, 0.3, 3.75],
    ["claude-haiku-4-5", 200_000, 64_000, 1, 5, 0.1, 1.25],
    ["claude-3-7-sonnet", 200_000, 64_000, 3, 15, 0.3, 3.75],
    ["claude-3-5-sonnet", 200_000, 8_192, 3, 15, 0.3, 3.75],
    ["claude-3-5-haiku", 200_000, 8_192, 0.8, 4, 0.08, 1],
    ["claude-3-haiku", 200_000, 4_096, 0.25, 1.25, 0.03, 0.3],
    ["claude-3-opus", 200_000, 4_096, 15, 75, 1.5, 18.75],
  ],
  google: [
    ["gemini-3.5-flash", 1_048_576, 65_536, 1.5, 9, 0.15],
    ["gemini-3.1-pro-preview", 1_048_576, 65_536, 2, 12, 0.2],
    ["gemini-3.1-flash-lite", 1_048_576, 65_536, 0.25, 1.5, 0.025],
    ["gemini-3-pro-preview", 1_048_576, 65_536, 2, 12, 0.2],
    ["gemini-3-flash-preview", 1_048_576, 65_536, 0.5, 3, 0.05],
    ["gemini-2.5-pro", 1_048_576, 65_536, 1.25, 10, 0.125],
    ["gemini-2.5-flash-lite", 1_048_576, 65_536, 0.1, 0.4, 0.01],
    ["gemini-2.5-flash", 1_048_576, 65_536, 0.3, 2.5, 0.03],
    ["gemini-2.0-flash", 1_048_576, 8_192, 0.1, 0.4, 0.025],
  ],
  mistral: [
    ["mistral-medium-latest", 262_144, 262_144, 1.5, 7.5],
    ["mistral-small-latest", 256_000, 256_000, 0.15, 0.6],
    ["mistral-large-2512", 262_144, 262_144, 0.5, 1.5],
    ["mistral-small-2603", 256_000, 256_000, 0.15, 0.6],
    ["mistral-medium-2604", 262_144, 262_144, 1.5, 7.5],
    ["mistral-medium-2505", 131_072, 131_072, 0.4, 2],
    ["mistral-medium-2508", 262_144, 262_144, 0.4, 2],
    ["mistral-large-latest", 262_144, 262_144, 0.5, 1.5],
    ["magistral-medium-latest", 128_000, 16_384, 2, 5],
    ["codestral-latest", 256_000, 4_096, 0.3, 0.9],
    ["ministral-8b-latest", 128_000, 128_000, 0.1, 0.1],
    ["ministral-3b-latest", 128_000, 128_000, 0.04, 0.04],
  ],
  deepseek: [
    ["deepseek-v4-flash", 1_000_000, 384_000, 0.14, 0.28, 0.0028],
    ["deepseek-v4-pro", 1_000_000, 384_000, 0.435, 0.87, 0.003625],
    ["deepseek-chat", 1_000_000, 384_000, 0.14, 0.28, 0.0028],
    ["deepseek-reasoner", 1_000_000, 384_000, 0.14, 0.28, 0.0028],
  ],
  xai: [
    ["grok-4.3", 1_000_000, 30_000, 1.25, 2.5, 0.2],
    ["grok-4.20-0309-reasoning", 1_000_000, 30_000, 1.25, 2.5, 0.2],
    ["grok-build-0.1", 256_000, 256_000, 1, 2, 0.2],
  ],
  groq: [
    ["llama-3.3-70b-versatile", 131_072, 32_768, 0.59, 0.79],
    ["llama-3.1-8b-instant", 131_072, 131_072, 0.05, 0.08],
    ["openai/gpt-oss-20b", 131_072, 65_536, 0.075, 0.3, 0.0375],
    ["meta-llama/llama-4-scout-17b-16e-instruct", 131_072, 8_192, 0.11, 0.34],
    ["qwen/qwen3-32b", 131_072, 40_960, 0.29, 0.59],
  ],
};

/** Retired ones, and prefixes that are no name of their own: what they cost is known, but they are not offered. */
const notOffered: ReadonlySet<string> = new Set([
  "gpt-4o-2024-05-13",
  "gpt-4-turbo",
  "gpt-4",
  "claude-opus-4",
  "claude-sonnet-4",
  "claude-3-7-sonnet",
  "claude-3-5-sonnet",
  "claude-3-5-haiku",
  "claude-3-haiku",
  "claude-3-opus",
  "gemini-3-pro-preview",
  "gemini-2.0-flash",
]);

/** A prefix stands for its dated and tagged versions (`gpt-4o-2024-08-06`), not for other models (`gpt-4` is no `gpt-4o`). */
function covers(prefix: string, model: string): boolean {
  return model === prefix || (model.startsWith(prefix) && /^[-:@]/.test(model.slice(prefix.length)));
}

function find(provider: string, model: string): KnownModel | null {
  const fitting = (table[provider] ?? []).filter(([prefix]) => covers(prefix, model));
  const row = fitting.toSorted((a, b) => b[0].length - a[0].length)[0];
  if (row === undefined) return null;
  const [, contextWindow, maxOutputTokens, input, output, cacheRead = input, cacheWrite = input] = row;
  return { provider, contextWindow, maxOutputTokens, price: { input, output, cacheRead, cacheWrite } };
}

/** What is known of a model by its longest prefix, at one provider (`openai`, `anthropic`, ...) or, with null, at any. */
export function knownModel(provider: string | null, model: string): KnownModel | null {
  if (provider !== null) return find(provider, model);
  for (const name of Object.keys(table)) {
    const known = find(name, model);
    if (known !== null) return known;
  }
  return null;
}

/** The models of a provider that can be offered, the best default first. */
export function knownNames(provider: string): readonly string[] {
  return (table[provider] ?? []).map(([name]) => name).filter((name) => !notOffered.has(name));
}
