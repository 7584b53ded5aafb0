import type { UserConfig, UserConfigBody } from "@berth/contract";
import { providerSecretName } from "../auth/provider-secrets.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { UserConfigRecord, UserSettings } from "../store/user-config.ts";
import type { SecretChanges } from "../store/vault.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { tellProvidersChanged } from "./model-providers.ts";
import { settleProvider } from "./settle-provider.ts";
import { timeText } from "./views.ts";

type ProviderBodies = NonNullable<UserConfigBody["modelProviders"]>;

/** One change of the caller's own config. */
export interface ConfigChange {
  readonly origin: Origin;
  /** As the audit log names it. */
  readonly action: string;
  /** The version that the caller has seen; 0: none must be there; null: whichever there is. */
  readonly ifVersion: number | null;
  /** The settings as they are to be; throws what is wrong with the change. */
  readonly apply: (before: UserSettings) => UserSettings;
  /** Take the place of all providers. */
  readonly providers?: ProviderBodies;
}

export interface ChangedConfig {
  readonly config: UserConfig;
  readonly replayed: boolean;
}

const defaultSettings: UserSettings = {
  sandboxAllocationStrategy: null,
  sandboxPoolQuota: null,
  autoScrollEnabled: true,
  taskCompletionNotificationEnabled: true,
  inputSuggestionsEnabled: true,
  sharedLinks: [],
  customSpFragments: [],
  modelProviders: [],
};

/** Changes that come at the same moment are repeated on what the other one left. */
const attempts = 5;

/**
 * Changes the caller's own config; makes it when there is none. Rejects with `version_mismatch`, `user_config_exists`,
 * `user_providers_off` and what `apply` and the check of providers say.
 */
export async function changeUserConfig(
  context: OperationsContext,
  principal: Principal,
  change: ConfigChange,
): Promise<ChangedConfig> {
  requirePermission(principal, "user-config:write");
  for (let attempt = 1; ; attempt++) {
    try {
      return await changeOnce(context, principal, change);
    } catch (error) {
      const lost =
        error instanceof BerthError && ["version_mismatch", "user_config_exists"].includes(error.code);
      if (!lost || change.ifVersion !== null || attempt === attempts) throw error;
    }
  }
}

async function changeOnce(
  context: OperationsContext,
  principal: Principal,
  change: ConfigChange,
): Promise<ChangedConfig> {
  const { id: userId, orgId } = principal;
  const { origin, action, apply, providers } = change;
  const { userConfig } = context.store.org(orgId);
  const before = await userConfig.find(userId);
  const applied = apply(before ?? defaultSettings);
  const settled = await providersOf(context, principal, { before, providers });
  const settings = { ...settingsOf(applied), ...(settled !== null && { modelProviders: settled.providers }) };
  const { result, replayed } = await userConfig.put({
    userId,
    ifVersion: change.ifVersion ?? before?.version ?? 0,
    settings,
    secrets: settled?.secrets ?? { put: [], drop: [], by: userId },
    audit: auditDraft(principal, origin, { action, target: { type: "user_config", id: userId } }),
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
  });
  if (settled !== null) tellProvidersChanged(context, orgId);
  return { config: userConfigView(result), replayed };
}

/** Nothing of the row that is no setting. */
function settingsOf(all: UserSettings): UserSettings {
  const { sandboxAllocationStrategy, sandboxPoolQuota, autoScrollEnabled } = all;
  const { taskCompletionNotificationEnabled, inputSuggestionsEnabled } = all;
  const { sharedLinks, customSpFragments, modelProviders } = all;
  return {
    sandboxAllocationStrategy,
    sandboxPoolQuota,
    autoScrollEnabled,
    taskCompletionNotificationEnabled,
    inputSuggestionsEnabled,
    sharedLinks,
    customSpFragments,
    modelProviders,
  };
}

async function providersOf(
  context: OperationsContext,
  { id: owner, orgId }: Principal,
  { before, providers }: { before: UserConfigRecord | null; providers: ProviderBodies | undefined },
): Promise<{ providers: UserSettings["modelProviders"]; secrets: SecretChanges } | null> {
  if (providers === undefined) return null;
  if (providers.length > 0 && !context.settings.userModelProviders) {
    throw new BerthError(
      "user_providers_off",
      "This server does not let users bring model providers of their own: ask an administrator for one.",
    );
  }
  const known = new Map(before?.modelProviders.map((provider) => [provider.name, provider]));
  const settled = await Promise.all(
    providers.map(({ name, ...body }, index) =>
      settleProvider(context, {
        orgId,
        owner,
        name,
        body,
        before: known.get(name) ?? null,
        pointer: `/modelProviders/${index}`,
      }),
    ),
  );
  const names = new Set(providers.map(({ name }) => name));
  const gone = [...known.keys()].filter((name) => !names.has(name));
  return {
    providers: settled.map(({ provider }) => provider),
    secrets: {
      put: settled.flatMap(({ put }) => put),
      drop: [
        ...settled.flatMap(({ drop }) => drop),
        ...gone.map((name) => providerSecretName({ owner, name })),
      ],
      by: owner,
    },
  };
}

export function userConfigView(record: UserConfigRecord): UserConfig {
  const { orgId: _, createdAt, updatedAt, ...rest } = record;
  return {
    ...rest,
    sharedLinks: rest.sharedLinks.map((link) => ({ ...link, createdAt: timeText(link.createdAt) })),
    customSpFragments: rest.customSpFragments.map((one) => ({ ...one, createdAt: timeText(one.createdAt) })),
    modelProviders: rest.modelProviders.map(({ name, kind, baseUrl, hasKey, headers, models }) => ({
      name,
      kind,
      baseURL: baseUrl,
      hasKey,
      headers: [...headers],
      models: [...models],
    })),
    createdAt: timeText(createdAt),
    updatedAt: timeText(updatedAt),
  };
}
