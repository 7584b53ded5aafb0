import { createApiKeyBody, createApiKeyReply } from "@berth/contract";
import { createApiKey } from "../../operations/api-keys.ts";
import { endpoint } from "../endpoint.ts";

export const createApiKeyRoute = endpoint({
  id: "createApiKey",
  method: "post",
  path: "/api/v1/api-keys",
  tag: "api-keys",
  summary: "Makes an API key",
  description:
    "One's own needs no permission; a service account's needs api-key:write, and so does a key that makes a key. Nobody makes one for another person. It is never good for more than who makes it, nor for more than whom it acts for. The key is shown this once.",
  body: createApiKeyBody,
  replies: { 201: { description: "The key.", schema: createApiKeyReply } },
  problems: ["unknown_principal", "unknown_permission", "already_created"],
  handle: async ({ operations, principal, body, origin }) => ({
    status: 201,
    body: await createApiKey(operations, principal, { body, origin }),
  }),
});
