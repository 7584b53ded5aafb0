import { z } from "zod";

/** How the secrets of all organizations are sealed. Nothing here tells anything about a key. */
export const vaultStatus = z.strictObject({
  masterKey: z.string().describe("id of the master key in use"),
  dataKeys: z.strictObject({
    total: z.int(),
    pending: z.int().describe("still wrapped by the previous master key"),
  }),
  secrets: z.strictObject({
    total: z.int(),
    pending: z.int().describe("still sealed under an older data key of their organization"),
  }),
});
export type VaultStatus = z.infer<typeof vaultStatus>;

export const rotateVaultBody = z.strictObject({
  dataKeys: z
    .boolean()
    .default(false)
    .describe("also make a new data key for every organization and seal its secrets anew"),
});
export type RotateVaultBody = z.input<typeof rotateVaultBody>;

export const rotateVaultReply = z.strictObject({
  rewrapped: z.int().describe("data keys that are wrapped by the new master key now"),
  made: z.int().describe("new data keys"),
  resealed: z.int().describe("secrets that were sealed anew"),
  unreadable: z.int().describe("keys and secrets that do not open; they stay as they are"),
  status: vaultStatus,
});
export type RotateVaultReply = z.infer<typeof rotateVaultReply>;
