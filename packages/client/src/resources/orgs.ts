import type { CreateInvitationReply, CreateOrgBody, Org, Page, UpdateOrgBody } from "@berth/contract";
import type { Http } from "../http.ts";
import { allPages, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";
import { callsOf } from "./calls.ts";

/** Organizations: the caller's own, and for the operator of the server every one. */
export function createOrgs(http: Http) {
  const calls = callsOf(http);
  const path = (idOrSlug: string) => `/orgs/${encodeURIComponent(idOrSlug)}`;
  const list = (query: PageQuery = {}): Promise<Page<Org>> => calls.list("/orgs", { ...query });

  return {
    /** Rejects with code `org_slug_taken`. The invitation's token is shown this once. */
    create: (
      body: CreateOrgBody,
      options: ChangeOptions = {},
    ): Promise<{ readonly org: Org; readonly invitation: CreateInvitationReply | null }> =>
      calls.post("/orgs", body, options),
    list,
    all: (query: Omit<PageQuery, "after"> = {}) =>
      allPages((after) => list({ ...query, ...(after && { after }) })),
    /** By id or slug. */
    get: (idOrSlug: string, options: CallOptions = {}): Promise<Org> => calls.get(path(idOrSlug), options),
    update: (idOrSlug: string, body: UpdateOrgBody, options: ChangeOptions = {}): Promise<Org> =>
      calls.patch(path(idOrSlug), body, options),
  };
}
