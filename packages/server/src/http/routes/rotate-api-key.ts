import { createApiKeyReply, rotateApiKeyBody } from "@berth/contract";
import { rotateApiKey } from "../../operations/api-keys.ts";
import { endpoint } from "../endpoint.ts";
import { apiKeyPath } from "../path-params.ts";

export const rotateApiKeyRoute = endpoint({
  id: "rotateApiKey",
  method: "post",
  path: "/api/v1/api-keys/{keyId}/rotate",
  tag: "api-keys",
  summary: "Makes a new key in an old one's place",
  description:
    "With the same name, owner and scopes. The old key works for `overlapMs` more. The new one is shown this once.",
  params: apiKeyPath,
  body: rotateApiKeyBody,
  bodyOptional: true,
  replies: { 201: { description: "The new key.", schema: createApiKeyReply } },
  problems: ["api_key_not_found", "api_key_replaced", "unknown_principal", "already_created"],
  handle: async ({ operations, principal, params, body, origin }) => ({
    status: 201,
    body: await rotateApiKey(operations, principal, { ...params, body, origin }),
  }),
});
