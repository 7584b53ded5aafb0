import type { Clock } from "../lib/clock.ts";
import type { ModelCatalog, ModelClient, ResolvedModel } from "./model.ts";
import type { ModelProvider } from "./model-provider.ts";
import { type BreakerOf, createModelClient } from "./retry.ts";

/** Models with the breakers that belong to them. */
export interface ModelLayer {
  readonly catalog: ModelCatalog;
  readonly breakerOf: BreakerOf;
}

/** A layer of named providers. One that says which models it has answers for those; one that says none for every name. */
export function layerOf(providers: readonly ModelProvider[], { catalog, breakerOf }: ModelLayer): ModelLayer {
  const listed = new Map(providers.map(({ name, models }) => [name, new Set(models.map((one) => one.name))]));
  const claims = (name: string) => {
    const slash = name.indexOf("/");
    const models = listed.get(name.slice(0, slash));
    return models !== undefined && (models.size === 0 || models.has(name.slice(slash + 1)));
  };
  const resolve = (name: string) => (claims(name) ? catalog.resolve(name) : null);
  return { breakerOf, catalog: { resolve, list: () => catalog.list() } };
}

/** Layers as one client: a name belongs to the first layer that has it, with that layer's breaker. */
export function layeredClient(layers: readonly ModelLayer[], clock: Clock): ModelClient {
  const layerWith = (name: string) => layers.find(({ catalog }) => catalog.resolve(name) !== null);
  const resolve = (name: string): ResolvedModel | null => layerWith(name)?.catalog.resolve(name) ?? null;
  const breakerOf: BreakerOf = (name) => {
    const layer = layerWith(name);
    if (layer === undefined) throw new TypeError(`no layer has the model ${name}`);
    return layer.breakerOf(name);
  };
  async function list() {
    const all = (await Promise.all(layers.map(({ catalog }) => catalog.list()))).flat();
    const names = new Set<string>();
    return all.filter(({ name }) => !names.has(name) && names.add(name));
  }
  return createModelClient({ catalog: { resolve, list }, breakerOf, clock });
}
