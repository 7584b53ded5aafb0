import type { ApiKey, CreateApiKeyBody, CreateApiKeyReply, Page, RotateApiKeyBody } from "@berth/contract";
import type { Http } from "../http.ts";
import { allPages, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";
import { callsOf } from "./calls.ts";

export interface ApiKeyQuery extends PageQuery {
  /** A member or service account; without it all of the organization. */
  readonly owner?: string;
}

export function createApiKeys(http: Http) {
  const calls = callsOf(http);
  const path = (id: string) => `/api-keys/${encodeURIComponent(id)}`;
  const list = (query: ApiKeyQuery = {}): Promise<Page<ApiKey>> => calls.list("/api-keys", { ...query });

  return {
    /** The key is shown this once. Rejects with codes `unknown_principal`, `unknown_permission` or `forbidden`. */
    create: (body: CreateApiKeyBody, options: ChangeOptions = {}): Promise<CreateApiKeyReply> =>
      calls.post("/api-keys", body, options),
    list,
    all: (query: Omit<ApiKeyQuery, "after"> = {}) =>
      allPages((after) => list({ ...query, ...(after && { after }) })),
    get: (id: string, options: CallOptions = {}): Promise<ApiKey> => calls.get(path(id), options),
    /** A new key in its place; the old one works for a while. Rejects with code `api_key_replaced`. */
    rotate: (
      id: string,
      body: RotateApiKeyBody = {},
      options: ChangeOptions = {},
    ): Promise<CreateApiKeyReply> => calls.post(`${path(id)}/rotate`, body, options),
    revoke: (id: string, options: ChangeOptions = {}): Promise<ApiKey> => calls.delete(path(id), options),
  };
}
