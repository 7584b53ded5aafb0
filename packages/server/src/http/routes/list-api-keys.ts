import { apiKey, keyOwner, pageOf } from "@berth/contract";
import { z } from "zod";
import { listApiKeys } from "../../operations/api-keys.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined } from "../query.ts";

export const listApiKeysRoute = endpoint({
  id: "listApiKeys",
  method: "get",
  path: "/api/v1/api-keys",
  tag: "api-keys",
  summary: "The organization's API keys, or those of one owner",
  description: "One's own (`?owner=` with one's own id) need no permission, others need api-key:read.",
  query: z.strictObject({ ...pageQueryOf("apiKey"), owner: keyOwner.optional() }),
  replies: { 200: { description: "A page, newest first.", schema: pageOf(apiKey) } },
  handle: async ({ operations, principal, query }) => ({
    status: 200,
    body: await listApiKeys(operations, principal, defined(query)),
  }),
});
