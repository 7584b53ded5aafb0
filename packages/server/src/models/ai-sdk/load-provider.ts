import type { LanguageModelV4 } from "@ai-sdk/provider";
import { BerthError } from "../../lib/errors.ts";

export interface ProviderSettings {
  readonly apiKey?: string;
  readonly baseURL?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly fetch: typeof globalThis.fetch;
}

export type LanguageModelOf = (model: string) => LanguageModelV4;

const packageName = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/;

/**
 * Imports a provider package of the AI SDK and sets it up. Throws a BerthError `provider_unusable` that says what to do when
 * the package is missing or is no such provider.
 */
export async function loadProvider(name: string, settings: ProviderSettings): Promise<LanguageModelOf> {
  if (!packageName.test(name)) throw unusable(`${JSON.stringify(name)} is no package name`);
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(name)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw unusable(`the package ${name} cannot be loaded; install it with: npm install ${name}`, cause);
  }
  for (const [member, create] of Object.entries(module)) {
    if (!/^create[A-Z]/.test(member) || typeof create !== "function") continue;
    const provider: unknown = (create as (settings: ProviderSettings) => unknown)(settings);
    if (isProvider(provider)) return (model) => checked(provider.languageModel(model), name);
  }
  throw unusable(`the package ${name} has no provider of language models in it`);
}

function isProvider(value: unknown): value is { languageModel(model: string): LanguageModelV4 } {
  const fits = (typeof value === "object" && value !== null) || typeof value === "function";
  return fits && "languageModel" in value && typeof value.languageModel === "function";
}

function checked(model: LanguageModelV4, name: string): LanguageModelV4 {
  const version: string = model.specificationVersion;
  if (version === "v4") return model;
  throw unusable(
    `the package ${name} has interface ${version}; install a release of it for AI SDK 7 (interface v4)`,
  );
}

function unusable(message: string, cause?: unknown): BerthError {
  return new BerthError("provider_unusable", message, { cause });
}
