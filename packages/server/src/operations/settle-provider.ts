import type { ModelProviderBody } from "@berth/contract";
import {
  openProviderSecret,
  providerSecretName,
  type ProviderSecret,
  sealProviderSecret,
} from "../auth/provider-secrets.ts";
import { pause } from "../lib/clock.ts";
import { portOf } from "../lib/checked-addresses.ts";
import { BerthError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";
import { wellKnownPlace } from "../models/default-providers.ts";
import type { ProviderDefinition } from "../store/model-providers.ts";
import type { SealedSecret, SecretName } from "../store/vault.ts";
import type { OperationsContext } from "./context.ts";
import { invalidBody } from "./invalid-body.ts";

/** A provider as it is to be, whose (the organization's with the owner ""), and as it was. */
export interface WantedProvider {
  readonly orgId: string;
  readonly owner: string;
  readonly name: string;
  readonly body: ModelProviderBody;
  readonly before: ProviderDefinition | null;
  /** Where in the request's body it stands. */
  readonly pointer: string;
}

export interface SettledProvider {
  readonly provider: ProviderDefinition;
  readonly put: readonly SealedSecret[];
  readonly drop: readonly SecretName[];
}

/** A resolver that is slower is not waited for: each connection asks it again. */
const resolveMs = 2_000;

/**
 * What a written provider comes to: its place checked, its secrets sealed. Secrets that are not named stay, but only where the provider is:
 * nobody gets a key by having it sent elsewhere. Rejects with `validation_failed` or `address_refused`.
 */
export async function settleProvider(
  context: OperationsContext,
  wanted: WantedProvider,
): Promise<SettledProvider> {
  const { orgId, owner, name, body, pointer } = wanted;
  const known = wellKnownPlace(name);
  const baseUrl = (body.baseURL ?? known?.baseUrl)?.replace(/\/+$/, "");
  if (baseUrl === undefined) {
    throw invalidBody(`${pointer}/baseURL`, `is needed, because ${name} is no well-known provider.`);
  }
  const models = modelsOf(wanted);
  await checkPlace(context, baseUrl);
  const place = { orgId, owner, name, baseUrl };
  const secret = await secretOf(context, wanted, baseUrl);
  const kind = body.kind ?? known?.kind ?? "openai-compatible";
  const { before } = wanted;
  if (secret === "kept") {
    const { hasKey, headers } = before ?? { hasKey: false, headers: [] };
    return { provider: { name, kind, baseUrl, hasKey, headers, models }, put: [], drop: [] };
  }
  const headers = Object.keys(secret.headers);
  const hasKey = secret.apiKey !== null;
  const provider = { name, kind, baseUrl, hasKey, headers, models };
  if (!hasKey && headers.length === 0) return { provider, put: [], drop: [providerSecretName(place)] };
  return { provider, put: [await sealProviderSecret(context.vault, place, secret)], drop: [] };
}

function modelsOf({ body, pointer }: WantedProvider): ProviderDefinition["models"] {
  const models = body.models.map((model) => (typeof model === "string" ? { name: model } : model));
  const names = new Set<string>();
  for (const [index, { name }] of models.entries()) {
    if (names.has(name)) throw invalidBody(`${pointer}/models/${index}`, "has the name of another model.");
    names.add(name);
  }
  return models;
}

/** A name that does not resolve now is taken: it may later, and is checked then. */
async function checkPlace({ places, clock }: OperationsContext, baseUrl: string): Promise<void> {
  const url = new URL(baseUrl);
  const enough = new AbortController();
  const checked = places
    .check({ host: url.hostname, port: portOf(url), protocol: url.protocol })
    .catch((error: unknown) => {
      if (error instanceof BerthError && error.code === "address_refused") throw error;
    });
  try {
    await Promise.race([checked, pause(clock, resolveMs, enough.signal)]);
  } finally {
    enough.abort();
  }
}

async function secretOf(
  context: OperationsContext,
  { orgId, owner, name, body, before, pointer }: WantedProvider,
  baseUrl: string,
): Promise<ProviderSecret | "kept"> {
  const { apiKey, headers } = body;
  const moved = before !== null && new URL(before.baseUrl).origin !== new URL(baseUrl).origin;
  if (moved && before.hasKey && apiKey === undefined) throw needed(`${pointer}/apiKey`, "null");
  if (moved && before.headers.length > 0 && headers === undefined) throw needed(`${pointer}/headers`, "{}");
  if (apiKey === undefined && headers === undefined) return "kept";
  const half = apiKey === undefined || headers === undefined;
  const kept = half && before !== null && !moved;
  const place = { orgId, owner, name, baseUrl };
  const old: ProviderSecret = kept ? await openProviderSecret(context, place) : { apiKey: null, headers: {} };
  return {
    apiKey: apiKey === undefined ? old.apiKey : apiKey === null ? null : new Secret(apiKey),
    headers:
      headers === undefined
        ? old.headers
        : Object.fromEntries(Object.entries(headers).map(([header, value]) => [header, new Secret(value)])),
  };
}

function needed(pointer: string, none: string): BerthError {
  return invalidBody(pointer, `is needed again, because the provider's address changed; ${none} for none.`);
}
