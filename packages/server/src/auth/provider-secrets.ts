import { newId } from "../lib/id.ts";
import { Secret } from "../lib/secret.ts";
import type { Store } from "../store/store.ts";
import type { SealedSecret, SecretName } from "../store/vault.ts";
import type { Vault } from "./vault.ts";

/** What a model provider is called with. */
export interface ProviderSecret {
  readonly apiKey: Secret | null;
  readonly headers: Readonly<Record<string, Secret>>;
}

/** Whose provider: a user's, or with the owner "" the organization's; and where it is. */
export interface ProviderPlace {
  readonly orgId: string;
  readonly owner: string;
  readonly name: string;
  readonly baseUrl: string;
}

/** As it is sealed. The origin is in it, so that a key never goes to another place than the one that it was given for. */
interface SealedText {
  readonly origin: string;
  readonly apiKey: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

const noSecret: ProviderSecret = { apiKey: null, headers: {} };

export function providerSecretName({ owner, name }: Pick<ProviderPlace, "owner" | "name">): SecretName {
  return { owner, kind: "model-provider", name };
}

/** Seals what a provider is called with, under a new id. */
export async function sealProviderSecret(
  vault: Vault,
  place: ProviderPlace,
  { apiKey, headers }: ProviderSecret,
): Promise<SealedSecret> {
  const id = newId("secret");
  const plain: SealedText = {
    origin: originOf(place),
    apiKey: apiKey?.reveal() ?? null,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()])),
  };
  const sealed = await vault.seal({
    orgId: place.orgId,
    table: "secrets",
    rowId: id,
    text: JSON.stringify(plain),
  });
  return { ...providerSecretName(place), id, ...sealed };
}

/** What a provider is called with; nothing when nothing is stored for this place. Rejects with `secret_unreadable`. */
export async function openProviderSecret(
  { store, vault }: { readonly store: Pick<Store, "org">; readonly vault: Vault },
  place: ProviderPlace,
): Promise<ProviderSecret> {
  const { orgId } = place;
  const kept = await store.org(orgId).vault.findSecret(providerSecretName(place));
  if (kept === null) return noSecret;
  const { id: rowId, sealed, keyVersion } = kept;
  const opened = await vault.open({ orgId, table: "secrets", rowId, sealed, keyVersion });
  const { origin, apiKey, headers } = JSON.parse(opened.reveal()) as SealedText;
  if (origin !== originOf(place)) return noSecret;
  return {
    apiKey: apiKey === null ? null : new Secret(apiKey),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, new Secret(value)])),
  };
}

function originOf({ baseUrl }: ProviderPlace): string {
  return new URL(baseUrl).origin;
}
