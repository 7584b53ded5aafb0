import { z } from "zod";
import { displayText } from "./display-text.ts";
import { idSchema, timestamp } from "./id.ts";
import { permissionName } from "./role.ts";

const day = 86_400_000;

export const keyOwner = z.union([idSchema("user"), idSchema("serviceAccount")]);
const scopes = z.array(permissionName).min(1).max(100);

/** An API key: what it is for, and never what it is. */
export const apiKey = z.strictObject({
  id: idSchema("apiKey"),
  prefix: z.string().describe("the key's first characters, to tell it by"),
  name: z.string(),
  owner: z.string().describe("the member or service account that it acts for"),
  scopes: z.array(z.string()).nullable().describe("what it is limited to; null: all that its owner may do"),
  createdBy: z.string(),
  createdAt: timestamp,
  expiresAt: timestamp.nullable(),
  lastUsedAt: timestamp.nullable().describe("to within some seconds"),
  revokedAt: timestamp.nullable(),
  replacedBy: idSchema("apiKey").nullable(),
});
export type ApiKey = z.infer<typeof apiKey>;

export const createApiKeyBody = z.strictObject({
  name: displayText(200),
  owner: keyOwner.optional().describe("default: the caller; a service account needs api-key:write"),
  scopes: scopes.optional().describe("default: all that the owner may do, and no more than the caller may"),
  expiresInMs: z
    .int()
    .min(60_000)
    .max(3_650 * day)
    .optional()
    .describe("default: never, or with the key that asks"),
});
export type CreateApiKeyBody = z.infer<typeof createApiKeyBody>;

export const rotateApiKeyBody = z.strictObject({
  overlapMs: z
    .int()
    .min(0)
    .max(30 * day)
    .default(day)
    .describe("how long the old key still works"),
  expiresInMs: z
    .int()
    .min(60_000)
    .max(3_650 * day)
    .optional()
    .describe("of the new key; default: as long as the old one was good for, from now on"),
});
export type RotateApiKeyBody = z.input<typeof rotateApiKeyBody>;

export const createApiKeyReply = apiKey.extend({
  key: z.string().describe("shown this once; sent as `Authorization: Bearer` or `X-API-Key`"),
  signingSecret: z
    .string()
    .nullable()
    .describe("of a service account's key, shown this once: with it requests are signed instead"),
});
export type CreateApiKeyReply = z.infer<typeof createApiKeyReply>;
