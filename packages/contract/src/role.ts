import { z } from "zod";
import { timestamp } from "./id.ts";

export const roleName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be lower-case letters, digits and dashes, at most 63 characters");

/** `resource:action`, for example `session:read`. */
export const permissionName = z
  .string()
  .max(64)
  .regex(/^[a-z][a-z-]*:[a-z][a-z-]*$/, "must be resource:action");

export const role = z.strictObject({
  name: roleName,
  builtin: z.boolean(),
  description: z.string(),
  permissions: z.array(permissionName),
  createdAt: timestamp.nullable().describe("null: built in"),
  updatedAt: timestamp.nullable(),
});
export type Role = z.infer<typeof role>;

export const roleList = z.strictObject({ items: z.array(role) });
export type RoleList = z.infer<typeof roleList>;

export const putRoleBody = z.strictObject({
  description: z.string().max(500).default(""),
  permissions: z.array(permissionName).max(100),
});
export type PutRoleBody = z.input<typeof putRoleBody>;
