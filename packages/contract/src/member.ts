import { z } from "zod";
import { idSchema, timestamp } from "./id.ts";
import { roleName } from "./role.ts";

/** A person in an organization. */
export const member = z.strictObject({
  id: idSchema("user"),
  name: z.string(),
  email: z.string().nullable(),
  role: z.string(),
  status: z.enum(["active", "suspended"]),
  createdAt: timestamp,
  updatedAt: timestamp,
  lastLoginAt: timestamp.nullable(),
});
export type Member = z.infer<typeof member>;

export const updateMemberBody = z
  .strictObject({ role: roleName.optional(), status: z.enum(["active", "suspended"]).optional() })
  .refine((body) => Object.keys(body).length > 0, "give at least one field");
export type UpdateMemberBody = z.infer<typeof updateMemberBody>;
