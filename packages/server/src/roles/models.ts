import type { ProviderConfig } from "../config/providers.ts";
import type { Config } from "../config/schema.ts";
import type { Secret } from "../lib/secret.ts";
import type { Clock } from "../lib/clock.ts";
import { createAiSdk } from "../models/ai-sdk/ai-sdk.ts";
import { createAnthropic } from "../models/anthropic/anthropic.ts";
import { createModelCatalog, type ProviderProblem } from "../models/catalog.ts";
import { defaultProviders, demoProvider, scriptedProvider } from "../models/default-providers.ts";
import { detectOllama } from "../models/detect-ollama.ts";
import { createGuardedDispatcher } from "../models/guarded-dispatcher.ts";
import type { ModelAdapter } from "../models/model.ts";
import type { ModelProvider } from "../models/model-provider.ts";
import { createOpenAiCompatible } from "../models/openai-compatible/openai-compatible.ts";
import { createModelDispatcher } from "../models/model-dispatcher.ts";
import type { ProviderPlaces } from "../models/provider-places.ts";
import { createBreakers } from "../models/retry.ts";
import { createScripted } from "../models/scripted/scripted.ts";
import { createTenantModels, type TenantModels } from "../models/tenant-models.ts";
import { createTenantLayers, type TenantLayerOptions } from "./tenant-layers.ts";

export interface OpenModels {
  readonly models: TenantModels;
  /** The providers that have no models to choose from, and why. */
  readonly problems: () => Promise<readonly ProviderProblem[]>;
  readonly close: () => Promise<void>;
}

/** What tenants' providers need. */
type TenantParts = Pick<TenantLayerOptions, "store" | "vault" | "redactor" | "telemetry"> & {
  readonly places: ProviderPlaces;
};

/** The models of this server: providers of the configuration, those of the usual variables, Ollama if it answers, and the demo. */
export async function openModels(config: Config, clock: Clock, tenants: TenantParts): Promise<OpenModels> {
  const configured = config.providers.map(providerOf);
  const usual = defaultProviders(keysOf(config));
  const ollama = config.ollamaDiscovery ? await detectOllama({ fetch, host: config.ollamaHost }) : null;
  const found = [...configured, ...usual, ...(ollama === null ? [] : [ollama]), demoProvider];
  const names = new Set<string>();
  // The first of a name counts: what the configuration says goes before what was found.
  const providers = found.filter(({ name }) => !names.has(name) && names.add(name));
  let dispatcher: Dispatcher | null = null;
  const shared = () => (dispatcher ??= createModelDispatcher());
  const catalog = createModelCatalog({ providers, factories: factories(clock, shared), fetch, clock });
  let guarded: Dispatcher | null = null;
  const checked = () => (guarded ??= createGuardedDispatcher({ places: tenants.places }));
  const layers = createTenantLayers({
    ...tenants,
    clock,
    userProviders: config.userModelProviders,
    factories: factories(clock, checked),
    fetch: fetchOver(checked),
  });
  const server = { catalog, breakerOf: createBreakers(clock) };
  return {
    models: createTenantModels({ server, tenants: layers, clock }),
    problems: () => catalog.problems(),
    close: async () => {
      await Promise.all([dispatcher?.close(), guarded?.close()]);
    },
  };
}

function keysOf(config: Config): Parameters<typeof defaultProviders>[0] {
  const key = (secret: Secret | null) => secret?.reveal() ?? null;
  return {
    openaiApiKey: key(config.openaiApiKey),
    openaiBaseUrl: config.openaiBaseUrl,
    anthropicApiKey: key(config.anthropicApiKey),
    anthropicBaseUrl: config.anthropicBaseUrl,
    deepseekApiKey: key(config.deepseekApiKey),
    groqApiKey: key(config.groqApiKey),
    mistralApiKey: key(config.mistralApiKey),
    geminiApiKey: key(config.geminiApiKey),
    openrouterApiKey: key(config.openrouterApiKey),
    xaiApiKey: key(config.xaiApiKey),
  };
}

const packages: Readonly<Record<string, string>> = { google: "@ai-sdk/google", mistral: "@ai-sdk/mistral" };

function providerOf(config: ProviderConfig): ModelProvider {
  const { name, kind, baseUrl, apiKey, headers, timeouts, models } = config;
  const { connect, firstToken, idle } = timeouts;
  const ofPackage = packages[kind] ?? config.package;
  return {
    name,
    kind: kind === "google" || kind === "mistral" ? "ai-sdk" : kind,
    ...(baseUrl !== null && { baseUrl }),
    apiKey: apiKey?.reveal() ?? null,
    headers: Object.fromEntries(Object.entries(headers).map(([header, value]) => [header, value.reveal()])),
    timeouts: {
      ...(connect !== undefined && { connectMs: connect }),
      ...(firstToken !== undefined && { firstTokenMs: firstToken }),
      ...(idle !== undefined && { idleMs: idle }),
    },
    ...(ofPackage !== null && { package: ofPackage }),
    models: kind === "scripted" && models.length === 0 ? scriptedProvider.models : models,
  };
}

type Dispatcher = ReturnType<typeof createModelDispatcher>;

/** How each kind of provider is spoken to, over connections that all of them share. */
function factories(
  clock: Clock,
  dispatcher: () => Dispatcher,
): Readonly<Record<ModelProvider["kind"], (provider: ModelProvider) => ModelAdapter>> {
  const options = ({ apiKey, headers, timeouts }: ModelProvider) => ({
    apiKey,
    clock,
    dispatcher: dispatcher(),
    ...(headers !== undefined && { headers }),
    ...(timeouts !== undefined && { timeouts }),
  });
  return {
    "openai-compatible": (provider) =>
      createOpenAiCompatible({ ...options(provider), baseUrl: provider.baseUrl ?? "" }),
    anthropic: (provider) =>
      createAnthropic({ ...options(provider), baseUrl: provider.baseUrl ?? "https://api.anthropic.com" }),
    "ai-sdk": (provider) =>
      createAiSdk({
        ...options(provider),
        package: provider.package ?? "",
        ...(provider.baseUrl !== undefined && { baseUrl: provider.baseUrl }),
      }),
    scripted: () => createScripted({ clock }),
  };
}

/** `fetch` over other connections than the process's own. */
function fetchOver(dispatcher: () => Dispatcher): typeof globalThis.fetch {
  const over = async (input: string | URL, init: object = {}) => {
    const { fetch: undiciFetch } = await import("undici");
    return undiciFetch(input, { ...init, dispatcher: dispatcher() });
  };
  return over as unknown as typeof globalThis.fetch;
}
