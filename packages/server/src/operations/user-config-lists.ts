import { type UserConfigBody, userConfigLimits } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { UserSettings } from "../store/user-config.ts";
import type { OperationsContext } from "./context.ts";
import { invalidBody } from "./invalid-body.ts";

type Links = UserSettings["sharedLinks"];
type Fragments = UserSettings["customSpFragments"];

/** Rejects with `validation_failed` for a share link that is not the caller's; an unknown one looks the same. */
export async function requireOwnShareLink(
  { store }: Pick<OperationsContext, "store">,
  principal: Principal,
  { shareLinkId, pointer }: { readonly shareLinkId: string | null | undefined; readonly pointer: string },
): Promise<void> {
  if (shareLinkId === null || shareLinkId === undefined) return;
  const link = await store.org(principal.orgId).access.findShareLink(shareLinkId);
  if (link?.createdBy === principal.id) return;
  throw invalidBody(`${pointer}/shareLinkId`, "is no share link of yours.");
}

/** A written list in the place of the one that was there; what keeps its id keeps its age. */
export function mergeLinks(before: Links, written: UserConfigBody["sharedLinks"], now: number): Links {
  if (written === undefined) return before;
  refuseTwice(written, "/sharedLinks");
  const ages = agesOf(before);
  return written.map(({ id = newId("sharedLink", now), label, url = null, shareLinkId = null }) => ({
    id,
    label,
    url,
    shareLinkId,
    createdAt: ages.get(id) ?? now,
  }));
}

/** As `mergeLinks`. */
export function mergeFragments(
  before: Fragments,
  written: UserConfigBody["customSpFragments"],
  now: number,
): Fragments {
  if (written === undefined) return before;
  refuseTwice(written, "/customSpFragments");
  const ages = agesOf(before);
  return written.map(({ id = newId("spFragment", now), label, content, enabled }) => ({
    id,
    label,
    content,
    enabled,
    createdAt: ages.get(id) ?? now,
  }));
}

/** Rejects with `validation_failed` when all of them together are too many or too long. */
export function checkFragments(fragments: Fragments, pointer: string): void {
  const { fragments: most, allFragmentCharacters: longest } = userConfigLimits;
  if (fragments.length > most) throw invalidBody(pointer, `would be more than ${most} fragments.`);
  const characters = fragments.reduce((sum, { content }) => sum + content.length, 0);
  if (characters <= longest) return;
  throw invalidBody(pointer, `would be ${characters} characters in all, and ${longest} are the most.`);
}

/** The list without one of its entries. Rejects with `entry_not_found`. */
export function without<T extends { readonly id: string }>(list: readonly T[], id: string): readonly T[] {
  const rest = list.filter((entry) => entry.id !== id);
  if (rest.length < list.length) return rest;
  throw new BerthError("entry_not_found", `There is no entry ${id} in your user config.`);
}

function agesOf(list: readonly { readonly id: string; readonly createdAt: number }[]): Map<string, number> {
  return new Map(list.map(({ id, createdAt }) => [id, createdAt]));
}

function refuseTwice(list: readonly { readonly id?: string | undefined }[], pointer: string): void {
  const seen = new Set<string>();
  for (const [index, { id }] of list.entries()) {
    if (id !== undefined && seen.has(id)) throw invalidBody(`${pointer}/${index}/id`, "is there twice.");
    if (id !== undefined) seen.add(id);
  }
}
