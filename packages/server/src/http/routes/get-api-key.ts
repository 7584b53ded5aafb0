import { apiKey } from "@berth/contract";
import { getApiKey } from "../../operations/api-keys.ts";
import { endpoint } from "../endpoint.ts";
import { apiKeyPath } from "../path-params.ts";

export const getApiKeyRoute = endpoint({
  id: "getApiKey",
  method: "get",
  path: "/api/v1/api-keys/{keyId}",
  tag: "api-keys",
  summary: "One API key, without the key",
  params: apiKeyPath,
  replies: { 200: { description: "The key's record.", schema: apiKey } },
  problems: ["api_key_not_found"],
  handle: async ({ operations, principal, params }) => ({
    status: 200,
    body: await getApiKey(operations, principal, params),
  }),
});
