import type { ModelProviderRecord, OrgModelProviders } from "../../model-providers.ts";
import type { Outcome } from "../../store.ts";
import type { OrgUserConfig, UserConfigRecord } from "../../user-config.ts";
import type { DataKeyRecord, OrgVault, SandboxSecretRecord, SystemVault } from "../../vault.ts";

type InOrg<T> = T & { readonly orgId: string };

/** What changes data keys, secrets, model providers and user configs. */
export interface VaultOperations {
  addDataKey(args: InOrg<Parameters<OrgVault["addDataKey"]>[0]>): DataKeyRecord;
  resealSecrets(args: InOrg<{ secrets: Parameters<OrgVault["reseal"]>[0] }>): number;
  dropDataKeys(args: InOrg<{ before: number }>): number;
  rewrapDataKeys(keys: Parameters<SystemVault["rewrap"]>[0]): number;
  putSandboxSecret(args: InOrg<Parameters<OrgVault["putSandboxSecret"]>[0]>): Outcome<SandboxSecretRecord>;
  removeSandboxSecret(args: InOrg<Parameters<OrgVault["removeSandboxSecret"]>[0]>): boolean;
  putModelProvider(args: InOrg<Parameters<OrgModelProviders["put"]>[0]>): Outcome<ModelProviderRecord>;
  removeModelProvider(args: InOrg<Parameters<OrgModelProviders["remove"]>[0]>): boolean;
  putUserConfig(args: InOrg<Parameters<OrgUserConfig["put"]>[0]>): Outcome<UserConfigRecord>;
  removeUserConfig(args: InOrg<Parameters<OrgUserConfig["remove"]>[0]>): boolean;
}
