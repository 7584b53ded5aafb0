import { z } from "zod";
import { idSchema, timestamp } from "./id.ts";

const day = 86_400_000;

/** A link with which anybody reads one session until it expires. */
export const shareLink = z.strictObject({
  id: idSchema("shareLink"),
  sessionId: idSchema("session"),
  createdBy: z.string(),
  createdAt: timestamp,
  expiresAt: timestamp,
  revokedAt: timestamp.nullable(),
  lastUsedAt: timestamp.nullable().describe("to within some seconds"),
  uses: z.int().nonnegative().describe("requests that it opened, to within some seconds"),
});
export type ShareLink = z.infer<typeof shareLink>;

export const createShareLinkBody = z.strictObject({
  expiresInMs: z
    .int()
    .min(60_000)
    .max(30 * day)
    .default(7 * day),
});
export type CreateShareLinkBody = z.input<typeof createShareLinkBody>;

export const createShareLinkReply = shareLink.extend({
  token: z.string().describe("shown this once; sent as `Authorization: Bearer`"),
});
export type CreateShareLinkReply = z.infer<typeof createShareLinkReply>;
