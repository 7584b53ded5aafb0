import { z } from "zod";
import { displayText } from "./display-text.ts";
import { idSchema, timestamp } from "./id.ts";

/** Kept and compared in lower case. */
export const email = z.email().max(254).toLowerCase();

export const personName = displayText(200);

/** At least 12 characters and at most 256, of whatever kind. */
export const password = z.string().min(1).max(1_024);

/** A person's own account, the same in all its organizations. */
export const user = z.strictObject({
  id: idSchema("user"),
  name: z.string(),
  email: z.string().nullable(),
  hasPassword: z.boolean(),
  createdAt: timestamp,
  lastLoginAt: timestamp.nullable(),
  memberships: z.array(
    z.strictObject({
      org: z.strictObject({ id: idSchema("org"), slug: z.string(), name: z.string() }),
      role: z.string(),
    }),
  ),
});
export type User = z.infer<typeof user>;

export const updateUserBody = z.strictObject({ name: personName });
export type UpdateUserBody = z.infer<typeof updateUserBody>;

export const changePasswordBody = z.strictObject({ current: password, new: password });
export type ChangePasswordBody = z.infer<typeof changePasswordBody>;

/** A login in a browser. */
export const userLogin = z.strictObject({
  id: idSchema("login"),
  method: z.enum(["password", "oidc"]),
  address: z.string().nullable(),
  agent: z.string().nullable().describe("what the browser calls itself"),
  current: z.boolean().describe("the one that asks"),
  createdAt: timestamp,
  lastSeenAt: timestamp,
  expiresAt: timestamp,
});
export type UserLogin = z.infer<typeof userLogin>;
