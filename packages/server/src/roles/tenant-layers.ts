import { openProviderSecret, type ProviderSecret } from "../auth/provider-secrets.ts";
import type { Vault } from "../auth/vault.ts";
import type { Clock } from "../lib/clock.ts";
import { createModelCatalog } from "../models/catalog.ts";
import { type ModelLayer, layerOf } from "../models/layered-models.ts";
import type { ModelAdapter, ModelScope } from "../models/model.ts";
import { modelError } from "../models/model-error.ts";
import type { ModelProvider, ProviderKind } from "../models/model-provider.ts";
import { createBreakers } from "../models/retry.ts";
import type { TenantLayers } from "../models/tenant-models.ts";
import type { ProviderDefinition } from "../store/model-providers.ts";
import type { Store } from "../store/store.ts";
import type { Redactor } from "../telemetry/redaction.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

export interface TenantLayerOptions {
  readonly store: Store;
  readonly vault: Vault;
  readonly redactor: Pick<Redactor, "remember">;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Users may bring providers of their own. */
  readonly userProviders: boolean;
  /** How each kind is spoken to, over connections that are checked. */
  readonly factories: Readonly<Record<ProviderKind, (provider: ModelProvider) => ModelAdapter>>;
  readonly fetch: typeof globalThis.fetch;
}

/** The model providers of organizations and users, from the store, with their keys from the vault. */
export function createTenantLayers(options: TenantLayerOptions): TenantLayers {
  const { store } = options;
  return {
    version: (orgId) => store.org(orgId).modelProviders.version(),
    async layer(scope) {
      const { orgId, owner } = scope;
      const own = async () => (await store.org(orgId).userConfig.find(owner))?.modelProviders ?? [];
      const definitions =
        owner === ""
          ? await store.org(orgId).modelProviders.list()
          : options.userProviders
            ? await own()
            : [];
      return definitions.length === 0 ? null : await layerWith(options, scope, definitions);
    },
  };
}

async function layerWith(
  options: TenantLayerOptions,
  scope: ModelScope,
  definitions: readonly ProviderDefinition[],
): Promise<ModelLayer> {
  const { factories, fetch, clock } = options;
  const unreadable = new Set<string>();
  const providers = await Promise.all(
    definitions.map(async (definition) => {
      const secret = await secretOf(options, scope, definition);
      if (secret === null) unreadable.add(definition.name);
      return providerOf(definition, secret);
    }),
  );
  const guarded = (kind: ProviderKind) => (provider: ModelProvider) =>
    unreadable.has(provider.name) ? lostKey(provider.name) : factories[kind](provider);
  const catalog = createModelCatalog({
    providers,
    factories: {
      "openai-compatible": guarded("openai-compatible"),
      anthropic: guarded("anthropic"),
      "ai-sdk": guarded("ai-sdk"),
      scripted: guarded("scripted"),
    },
    fetch,
    clock,
  });
  return layerOf(providers, { catalog, breakerOf: createBreakers(clock) });
}

/** Null when it cannot be opened: one lost key must not take the organization's other providers away. */
async function secretOf(
  { store, vault, redactor, telemetry }: TenantLayerOptions,
  { orgId, owner }: ModelScope,
  { name, baseUrl }: ProviderDefinition,
): Promise<ProviderSecret | null> {
  try {
    const secret = await openProviderSecret({ store, vault }, { orgId, owner, name, baseUrl });
    const { apiKey, headers } = secret;
    for (const value of [...(apiKey === null ? [] : [apiKey]), ...Object.values(headers)])
      redactor.remember(value, { orgId, owner });
    return secret;
  } catch (error) {
    telemetry.unexpectedError({ where: "provider key", error, orgId });
    return null;
  }
}

function providerOf(definition: ProviderDefinition, secret: ProviderSecret | null): ModelProvider {
  const { name, kind, baseUrl, models } = definition;
  return {
    name,
    kind,
    baseUrl,
    apiKey: secret?.apiKey?.reveal() ?? null,
    headers: Object.fromEntries(
      Object.entries(secret?.headers ?? {}).map(([header, value]) => [header, value.reveal()]),
    ),
    models: models.map(({ price, ...model }) => ({
      ...model,
      ...(price !== undefined && {
        price: {
          input: price.input,
          output: price.output,
          cacheRead: price.cacheRead ?? price.input,
          cacheWrite: price.cacheWrite ?? price.input,
        },
      }),
    })),
  };
}

function lostKey(name: string): ModelAdapter {
  const error = modelError(
    "authentication_failed",
    `the stored key of the provider ${name} cannot be opened; give the provider its key again`,
  );
  return {
    async *stream() {
      yield [{ type: "error", error }];
    },
  };
}
