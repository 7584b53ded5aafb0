import type { ModelProviderInfo, ProviderModelInfo } from "@berth/contract";
import type { Audited, Creation } from "./identity.ts";
import type { Outcome } from "./outcome.ts";
import type { SecretChanges } from "./vault.ts";

/** A provider without its secrets. */
export interface ProviderDefinition {
  readonly name: string;
  readonly kind: ModelProviderInfo["kind"];
  readonly baseUrl: string;
  readonly hasKey: boolean;
  /** Names of the headers that are sealed with the key. */
  readonly headers: readonly string[];
  readonly models: readonly ProviderModelInfo[];
}

export interface ModelProviderRecord extends ProviderDefinition {
  readonly orgId: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** `OrgStore.modelProviders`: those of the organization itself. */
export interface OrgModelProviders {
  /** In the order of names. */
  list(): Promise<readonly ModelProviderRecord[]>;
  find(name: string): Promise<ModelProviderRecord | null>;
  /** Makes or replaces one, with its secrets. Rejects with `too_many_model_providers` above `limit`. */
  put(
    change: Creation & {
      readonly provider: ProviderDefinition;
      readonly secrets: SecretChanges;
      readonly limit: number;
    },
  ): Promise<Outcome<ModelProviderRecord>>;
  /** With its secrets. False when there is none. */
  remove(change: Audited & { readonly name: string; readonly secrets: SecretChanges }): Promise<boolean>;
  /** Rises with each change of a provider of this organization or of one of its users; 0 when there never was any. */
  version(): Promise<number>;
}
