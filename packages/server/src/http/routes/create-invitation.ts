import { createInvitationBody, createInvitationReply } from "@berth/contract";
import { createInvitation } from "../../operations/invitations.ts";
import { endpoint } from "../endpoint.ts";

export const createInvitationRoute = endpoint({
  id: "createInvitation",
  method: "post",
  path: "/api/v1/invitations",
  tag: "members",
  summary: "Invites somebody, or lets a member choose a new password",
  description:
    "The token is shown this once: pass it on to the person, who takes it to `POST /invitations/accept`.",
  body: createInvitationBody,
  replies: { 201: { description: "The invitation, with its token.", schema: createInvitationReply } },
  problems: ["already_member", "member_not_found", "unknown_role", "not_managed_here", "already_created"],
  handle: async ({ operations, principal, body, origin }) => ({
    status: 201,
    body: await createInvitation(operations, principal, { body, origin }),
  }),
});
