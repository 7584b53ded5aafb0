import { type SharedLinkInput, type SpFragmentInput, userConfigLimits } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { newId } from "../lib/id.ts";
import { type ChangedConfig, changeUserConfig } from "./change-user-config.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { invalidBody } from "./invalid-body.ts";
import { checkFragments, requireOwnShareLink, without } from "./user-config-lists.ts";

interface Adding<T> {
  readonly entry: T;
  readonly origin: Origin;
}

interface Removing {
  readonly id: string;
  readonly origin: Origin;
}

/** Adds a bookmark of a link that was shared. Rejects with `validation_failed`. */
export async function addSharedLink(
  context: OperationsContext,
  principal: Principal,
  { entry, origin }: Adding<SharedLinkInput>,
): Promise<ChangedConfig> {
  const { label = "", url = null, shareLinkId = null } = entry;
  await requireOwnShareLink(context, principal, { shareLinkId, pointer: "" });
  const createdAt = context.clock.now();
  const link = { id: newId("sharedLink", createdAt), label, url, shareLinkId, createdAt };
  return changeUserConfig(context, principal, {
    origin,
    action: "user_config.shared_link_added",
    ifVersion: null,
    apply: (before) => {
      const sharedLinks = [...before.sharedLinks, link];
      if (sharedLinks.length > userConfigLimits.sharedLinks)
        throw invalidBody("", `would be one more than ${userConfigLimits.sharedLinks} shared links.`);
      return { ...before, sharedLinks };
    },
  });
}

/** Rejects with `entry_not_found`. */
export async function removeSharedLink(
  context: OperationsContext,
  principal: Principal,
  { id, origin }: Removing,
): Promise<ChangedConfig> {
  return changeUserConfig(context, principal, {
    origin,
    action: "user_config.shared_link_removed",
    ifVersion: null,
    apply: (before) => ({ ...before, sharedLinks: without(before.sharedLinks, id) }),
  });
}

/** Adds a text to the system prompts of the caller's sessions. Rejects with `validation_failed`. */
export async function addSpFragment(
  context: OperationsContext,
  principal: Principal,
  { entry, origin }: Adding<SpFragmentInput>,
): Promise<ChangedConfig> {
  const { label = "", content, enabled = true } = entry;
  const createdAt = context.clock.now();
  const fragment = { id: newId("spFragment", createdAt), label, content, enabled, createdAt };
  return changeUserConfig(context, principal, {
    origin,
    action: "user_config.sp_fragment_added",
    ifVersion: null,
    apply: (before) => {
      const customSpFragments = [...before.customSpFragments, fragment];
      checkFragments(customSpFragments, "/content");
      return { ...before, customSpFragments };
    },
  });
}

/** Rejects with `entry_not_found`. */
export async function removeSpFragment(
  context: OperationsContext,
  principal: Principal,
  { id, origin }: Removing,
): Promise<ChangedConfig> {
  return changeUserConfig(context, principal, {
    origin,
    action: "user_config.sp_fragment_removed",
    ifVersion: null,
    apply: (before) => ({ ...before, customSpFragments: without(before.customSpFragments, id) }),
  });
}
