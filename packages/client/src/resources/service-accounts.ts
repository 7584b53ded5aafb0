import type {
  CreateServiceAccountBody,
  Page,
  ServiceAccount,
  UpdateServiceAccountBody,
} from "@berth/contract";
import type { Http } from "../http.ts";
import { allPages, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";
import { callsOf } from "./calls.ts";

/** An organization's accounts for programs. */
export function createServiceAccounts(http: Http) {
  const calls = callsOf(http);
  const path = (id: string) => `/service-accounts/${encodeURIComponent(id)}`;
  const list = (query: PageQuery = {}): Promise<Page<ServiceAccount>> =>
    calls.list("/service-accounts", { ...query });

  return {
    /** Rejects with codes `service_account_name_taken`, `unknown_role` or `forbidden`. */
    create: (body: CreateServiceAccountBody, options: ChangeOptions = {}): Promise<ServiceAccount> =>
      calls.post("/service-accounts", body, options),
    list,
    all: (query: Omit<PageQuery, "after"> = {}) =>
      allPages((after) => list({ ...query, ...(after && { after }) })),
    get: (id: string, options: CallOptions = {}): Promise<ServiceAccount> => calls.get(path(id), options),
    update: (
      id: string,
      body: UpdateServiceAccountBody,
      options: ChangeOptions = {},
    ): Promise<ServiceAccount> => calls.patch(path(id), body, options),
    /** Its keys end with it. */
    delete: (id: string, options: ChangeOptions = {}): Promise<void> => calls.delete(path(id), options),
  };
}
