import type { Quota, SetQuotasBody } from "@berth/contract";
import type { Http } from "../http.ts";
import type { CallOptions, ChangeOptions } from "../pages.ts";
import { callsOf } from "./calls.ts";

interface Quotas {
  readonly items: readonly Quota[];
}

/** What an organization may have, and has. */
export function createQuotas(http: Http) {
  const calls = callsOf(http);
  return {
    list: (options: CallOptions = {}): Promise<Quotas> => calls.get("/quotas", options),
    /** For the operator: replaces all that an organization has of its own. By id or slug. */
    set: (idOrSlug: string, quotas: SetQuotasBody["quotas"], options: ChangeOptions = {}): Promise<Quotas> =>
      calls.put(`/orgs/${encodeURIComponent(idOrSlug)}/quotas`, { quotas }, options),
  };
}
