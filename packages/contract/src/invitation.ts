import { z } from "zod";
import { idSchema, timestamp } from "./id.ts";
import { roleName } from "./role.ts";
import { email, password, personName } from "./user.ts";

const hour = 3_600_000;

export const invitationKind = z.enum(["join", "reset"]);

/** To `join` an organization, or to `reset` the password of a member. */
export const invitation = z.strictObject({
  id: idSchema("invitation"),
  kind: invitationKind,
  email: z.string(),
  name: z.string().nullable(),
  role: z.string(),
  invitedBy: z.string(),
  createdAt: timestamp,
  expiresAt: timestamp,
  acceptedAt: timestamp.nullable(),
  revokedAt: timestamp.nullable(),
});
export type Invitation = z.infer<typeof invitation>;

const expiresInMs = z.int().min(60_000);

export const createInvitationBody = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("join"),
    email,
    name: personName.optional(),
    role: roleName.default("member"),
    expiresInMs: expiresInMs.max(30 * 24 * hour).default(7 * 24 * hour),
  }),
  z.strictObject({
    kind: z.literal("reset"),
    userId: idSchema("user"),
    expiresInMs: expiresInMs.max(7 * 24 * hour).default(24 * hour),
  }),
]);
export type CreateInvitationBody = z.input<typeof createInvitationBody>;

const token = z.string().describe("shown this once; `POST /invitations/accept` takes it");

export const createInvitationReply = invitation.extend({ token });
export type CreateInvitationReply = z.infer<typeof createInvitationReply>;

export const acceptInvitationBody = z.strictObject({
  token: z.string().min(1).max(200),
  password: password.describe("of the account: a new one, or the one that it has"),
  name: personName.optional().describe("of a new account; default what the invitation says"),
});
export type AcceptInvitationBody = z.infer<typeof acceptInvitationBody>;

export const acceptInvitationReply = z.strictObject({
  userId: idSchema("user"),
  email: z.string(),
  org: z.strictObject({ id: idSchema("org"), slug: z.string(), name: z.string() }),
});
export type AcceptInvitationReply = z.infer<typeof acceptInvitationReply>;
