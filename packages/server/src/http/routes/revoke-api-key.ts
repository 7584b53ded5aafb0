import { apiKey } from "@berth/contract";
import { revokeApiKey } from "../../operations/api-keys.ts";
import { endpoint } from "../endpoint.ts";
import { apiKeyPath } from "../path-params.ts";

export const revokeApiKeyRoute = endpoint({
  id: "revokeApiKey",
  method: "delete",
  path: "/api/v1/api-keys/{keyId}",
  tag: "api-keys",
  summary: "Ends an API key for good",
  description: "Streams that it opened end within seconds. Its record stays.",
  params: apiKeyPath,
  replies: { 200: { description: "The key's record.", schema: apiKey } },
  problems: ["api_key_not_found"],
  handle: async ({ operations, principal, params, origin }) => ({
    status: 200,
    body: await revokeApiKey(operations, principal, { ...params, origin }),
  }),
});
