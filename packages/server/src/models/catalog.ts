import type { ModelInfo } from "@berth/contract";
import { type Clock, systemClock } from "../lib/clock.ts";
import { knownModel, type KnownModel, knownNames } from "./known-models.ts";
import { createModelLister } from "./model-lister.ts";
import { makerOf, type ModelProvider, type ProviderKind } from "./model-provider.ts";
import type { ModelAdapter, ModelCatalog, ResolvedModel } from "./model.ts";

export interface CatalogOptions {
  readonly providers: readonly ModelProvider[];
  /** How each kind of provider is spoken to. */
  readonly factories: Readonly<Record<ProviderKind, (provider: ModelProvider) => ModelAdapter>>;
  /** Asks servers of one's own for their models when they are listed; without it they list none. */
  readonly fetch?: typeof globalThis.fetch;
  readonly clock?: Clock;
}

/** Why a provider has no models to choose from. */
export interface ProviderProblem {
  readonly provider: string;
  /** Its base URL; null when it has none. */
  readonly at: string | null;
  /** What follows its name in a sentence: "does not answer (ECONNREFUSED)". */
  readonly problem: string;
}

export interface ListedCatalog extends ModelCatalog {
  /** The providers that have no models to choose from now. Their models can still be called by name. */
  problems(): Promise<readonly ProviderProblem[]>;
}

/** Assumed where nothing is known. */
const defaultContextWindow = 128_000;
const keptNames = 1_000;

/** Models by `provider/model`. An adapter is made when the first of its models is asked for. */
export function createModelCatalog({
  providers,
  factories,
  fetch,
  clock = systemClock,
}: CatalogOptions): ListedCatalog {
  const byName = new Map(providers.map((provider) => [provider.name, provider]));
  const adapters = new Map<string, ModelAdapter>();
  // Each step of a run asks some ten times.
  const resolved = new Map<string, ResolvedModel | null>();
  const listingAt = fetch === undefined ? null : createModelLister({ fetch, clock });

  function adapterOf(provider: ModelProvider): ModelAdapter {
    const made = adapters.get(provider.name) ?? factories[provider.kind](provider);
    adapters.set(provider.name, made);
    return made;
  }

  async function namesOf(provider: ModelProvider): Promise<readonly string[]> {
    if (provider.models.length > 0) return provider.models.map(({ name }) => name);
    const known = knownNames(makerOf(provider) ?? "");
    if (known.length > 0 || provider.kind !== "openai-compatible") return known;
    return (await listingAt?.(provider))?.names ?? [];
  }

  async function problemOf(provider: ModelProvider): Promise<ProviderProblem | null> {
    if ((await namesOf(provider)).length > 0) return null;
    const asked = provider.kind === "openai-compatible" ? await listingAt?.(provider) : null;
    const problem = asked?.problem ?? "has no models that are known";
    return { provider: provider.name, at: placeOf(provider), problem };
  }

  function resolve(name: string): ResolvedModel | null {
    const [provider, model] = split(name, byName);
    if (provider === null) return null;
    const listed = provider.models.some((one) => one.name === model);
    if (provider.kind === "scripted" && !listed) return null;
    return { adapter: adapterOf(provider), info: infoOf(provider, model), model };
  }

  return {
    resolve(name) {
      const known = resolved.get(name);
      if (known !== undefined) return known;
      // Callers choose names, so what is kept is bounded.
      if (resolved.size >= keptNames) resolved.clear();
      const found = resolve(name);
      resolved.set(name, found);
      return found;
    },
    async list() {
      const all = await Promise.all(
        providers.map(async (provider) => (await namesOf(provider)).map((model) => infoOf(provider, model))),
      );
      return all.flat();
    },
    async problems() {
      const all = await Promise.all(providers.map(problemOf));
      return all.filter((one) => one !== null);
    },
  };
}

/** Without what an address may hold beside the place. */
function placeOf({ baseUrl }: ModelProvider): string | null {
  const url = baseUrl === undefined ? null : URL.parse(baseUrl);
  return url === null ? null : `${url.origin}${url.pathname}`;
}

function split(
  name: string,
  providers: ReadonlyMap<string, ModelProvider>,
): readonly [ModelProvider | null, string] {
  const slash = name.indexOf("/");
  const model = name.slice(slash + 1);
  return [slash === -1 || model === "" ? null : (providers.get(name.slice(0, slash)) ?? null), model];
}

function infoOf(provider: ModelProvider, model: string): ModelInfo {
  const said = provider.models.find(({ name }) => name === model);
  const maker = makerOf(provider);
  const known = knownAt(maker, model);
  return {
    name: `${provider.name}/${model}`,
    provider: provider.name,
    contextWindow: said?.contextWindow ?? known?.contextWindow ?? defaultContextWindow,
    maxOutputTokens: said?.maxOutputTokens ?? known?.maxOutputTokens ?? null,
    // A model's list price says nothing of what a server of one's own costs.
    price: said?.price ?? (maker === null ? null : (known?.price ?? null)),
    demo: provider.kind === "scripted",
  };
}

/** OpenRouter names models `maker/model`, with dots in versions, and asks the makers' prices. */
function knownAt(maker: string | null, model: string): KnownModel | null {
  if (maker !== "openrouter") return knownModel(maker, model);
  const [vendor = "", ...rest] = model.split("/");
  const name = rest.join("/").replace(/:.*$/, "");
  const at = { "x-ai": "xai", mistralai: "mistral" }[vendor] ?? vendor;
  return knownModel(at, name) ?? knownModel(at, name.replaceAll(".", "-"));
}
