import type { SandboxAllocationStrategy } from "@berth/contract";
import type { Audited, Creation } from "./identity.ts";
import type { ProviderDefinition } from "./model-providers.ts";
import type { Outcome } from "./outcome.ts";
import type { SecretChanges } from "./vault.ts";

/** What a user has set. Times are milliseconds since 1970. */
export interface UserSettings {
  /** Null: as the organization says. */
  readonly sandboxAllocationStrategy: SandboxAllocationStrategy | null;
  /** Null: as many as everybody may have. */
  readonly sandboxPoolQuota: number | null;
  readonly autoScrollEnabled: boolean;
  readonly taskCompletionNotificationEnabled: boolean;
  readonly inputSuggestionsEnabled: boolean;
  readonly sharedLinks: readonly {
    readonly id: string;
    readonly label: string;
    readonly url: string | null;
    readonly shareLinkId: string | null;
    readonly createdAt: number;
  }[];
  readonly customSpFragments: readonly {
    readonly id: string;
    readonly label: string;
    readonly content: string;
    readonly enabled: boolean;
    readonly createdAt: number;
  }[];
  readonly modelProviders: readonly ProviderDefinition[];
}

export interface UserConfigRecord extends UserSettings {
  readonly orgId: string;
  readonly userId: string;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** `OrgStore.userConfig`: what the users of one organization have set for themselves. */
export interface OrgUserConfig {
  find(userId: string): Promise<UserConfigRecord | null>;
  /**
   * The next version. `ifVersion` 0: only when there is none yet, else `user_config_exists`; another number: only after that one,
   * else `version_mismatch` (also when there is none any more).
   */
  put(
    change: Creation & {
      readonly userId: string;
      readonly ifVersion: number;
      readonly settings: UserSettings;
      readonly secrets: SecretChanges;
    },
  ): Promise<Outcome<UserConfigRecord>>;
  /** With the secrets of the user's own. False when there is none. */
  remove(change: Audited & { readonly userId: string }): Promise<boolean>;
  /** The texts that the user's prompts had at a time, in their order; of what is known the oldest, when it was before that. */
  fragmentsAt(userId: string, at: number): Promise<readonly string[]>;
}
