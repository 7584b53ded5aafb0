import type { UserConfig, UserConfigBody } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { auditDraft } from "./audit-draft.ts";
import { type ChangedConfig, changeUserConfig, userConfigView } from "./change-user-config.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { tellProvidersChanged } from "./model-providers.ts";
import { checkFragments, mergeFragments, mergeLinks, requireOwnShareLink } from "./user-config-lists.ts";

/** The caller's own config. Rejects with `user_config_not_found`. */
export async function getUserConfig(context: OperationsContext, principal: Principal): Promise<UserConfig> {
  requirePermission(principal, "user-config:write");
  const record = await context.store.org(principal.orgId).userConfig.find(principal.id);
  if (record === null) throw userConfigNotFound();
  return userConfigView(record);
}

/** The caller's own config, made with the defaults when there is none. */
export async function ensureUserConfig(
  context: OperationsContext,
  principal: Principal,
  { origin }: { readonly origin: Origin },
): Promise<UserConfig> {
  requirePermission(principal, "user-config:write");
  const { userConfig } = context.store.org(principal.orgId);
  const found = await userConfig.find(principal.id);
  if (found !== null) return userConfigView(found);
  const change = { origin, action: "user_config.created", ifVersion: 0, apply: same };
  const made = await changeUserConfig(context, principal, change).catch((error: unknown) => {
    if (error instanceof BerthError && error.code === "user_config_exists") return null;
    throw error;
  });
  return made?.config ?? (await getUserConfig(context, principal));
}

/** Rejects with `user_config_exists` and as `putUserConfig` does. */
export async function createUserConfig(
  context: OperationsContext,
  principal: Principal,
  request: { readonly body: UserConfigBody; readonly origin: Origin },
): Promise<ChangedConfig> {
  return write(context, principal, { ...request, action: "user_config.created", ifVersion: 0 });
}

/** What the body does not name stays as it is. Rejects with `version_mismatch`, `validation_failed` and `address_refused`. */
export async function putUserConfig(
  context: OperationsContext,
  principal: Principal,
  request: { readonly body: UserConfigBody; readonly origin: Origin; readonly ifVersion: number | null },
): Promise<ChangedConfig> {
  return write(context, principal, { ...request, action: "user_config.changed" });
}

async function write(
  context: OperationsContext,
  principal: Principal,
  request: {
    readonly body: UserConfigBody;
    readonly origin: Origin;
    readonly ifVersion: number | null;
    readonly action: string;
  },
): Promise<ChangedConfig> {
  const { body, origin, ifVersion, action } = request;
  const { sharedLinks, customSpFragments, modelProviders: providers, ...plain } = body;
  for (const [index, { shareLinkId }] of (sharedLinks ?? []).entries())
    await requireOwnShareLink(context, principal, { shareLinkId, pointer: `/sharedLinks/${index}` });
  const now = context.clock.now();
  return changeUserConfig(context, principal, {
    origin,
    action,
    ifVersion,
    apply: (before) => {
      const fragments = mergeFragments(before.customSpFragments, customSpFragments, now);
      checkFragments(fragments, "/customSpFragments");
      return {
        ...before,
        ...named(plain),
        sharedLinks: mergeLinks(before.sharedLinks, sharedLinks, now),
        customSpFragments: fragments,
      };
    },
    ...(providers !== undefined && { providers }),
  });
}

/** With the keys of the caller's own providers. Rejects with `user_config_not_found`. */
export async function deleteUserConfig(
  context: OperationsContext,
  principal: Principal,
  { origin }: { readonly origin: Origin },
): Promise<void> {
  requirePermission(principal, "user-config:write");
  const { id: userId, orgId } = principal;
  const removed = await context.store.org(orgId).userConfig.remove({
    userId,
    audit: auditDraft(principal, origin, {
      action: "user_config.deleted",
      target: { type: "user_config", id: userId },
    }),
  });
  if (!removed) throw userConfigNotFound();
  tellProvidersChanged(context, orgId);
}

/** The providers of the caller's own, all of them. Rejects as `putUserConfig` does, and with `user_providers_off`. */
export async function putUserModelProviders(
  context: OperationsContext,
  principal: Principal,
  request: {
    readonly modelProviders: NonNullable<UserConfigBody["modelProviders"]>;
    readonly origin: Origin;
    readonly ifVersion: number | null;
  },
): Promise<ChangedConfig> {
  const { modelProviders: providers, origin, ifVersion } = request;
  const action = "user_config.model_providers_changed";
  return changeUserConfig(context, principal, { origin, action, ifVersion, apply: same, providers });
}

const same = <T>(settings: T): T => settings;

type Named<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what is not there. */
function named<T extends object>(fields: T): Named<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Named<T>;
}

function userConfigNotFound(): BerthError {
  return new BerthError(
    "user_config_not_found",
    "There is no user config yet: GET /api/v1/user-config/ensure makes one.",
  );
}
