import { BerthError } from "../lib/errors.ts";
import type { OrgRecord } from "../store/identity.ts";
import type { Store } from "../store/store.ts";
import type { Presented } from "./presented.ts";
import type { ShortMemory } from "./short-memory.ts";

/** Finds organizations by id or slug. */
export interface OrgChoice {
  find(idOrSlug: string): Promise<OrgRecord | null>;
  /** The one that `X-Berth-Org` names; null when it names none. Rejects with `org_not_found`. */
  wanted(presented: Presented): Promise<OrgRecord | null>;
  /** For a credential that is good for one organization. Rejects with `org_not_found` when another one is named. */
  requireOnly(orgId: string, presented: Presented): Promise<void>;
}

/** By which somebody who may act in several organizations says in which. */
const header = "x-berth-org";

export function createOrgChoice(store: Store, memory: ShortMemory<OrgRecord>): OrgChoice {
  async function find(idOrSlug: string): Promise<OrgRecord | null> {
    if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(idOrSlug)) return null;
    const known = memory.get(idOrSlug);
    if (known !== undefined) return known;
    const found = idOrSlug.startsWith("org_")
      ? await store.org(idOrSlug).identity.findOrg()
      : await store.system.identity.findOrgBySlug(idOrSlug);
    if (found !== null) memory.set(idOrSlug, found.id, found);
    return found;
  }

  return {
    find,
    async wanted(presented) {
      const named = presented.header(header);
      if (named === null) return null;
      const found = await find(named);
      if (found === null) throw orgNotFound(named);
      return found;
    },
    async requireOnly(orgId, presented) {
      const named = presented.header(header);
      if (named !== null && (await find(named))?.id !== orgId) throw orgNotFound(named);
    },
  };
}

/** Of an organization that there is not, or that the caller is not in. */
export function orgNotFound(idOrSlug: string): BerthError {
  return new BerthError("org_not_found", `There is no organization ${idOrSlug.slice(0, 64)}.`);
}
