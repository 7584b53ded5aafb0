import { acceptInvitationBody, acceptInvitationReply } from "@berth/contract";
import { acceptInvitation } from "../../operations/accept-invitation.ts";
import { endpoint } from "../endpoint.ts";

export const acceptInvitationRoute = endpoint({
  id: "acceptInvitation",
  method: "post",
  path: "/api/v1/invitations/accept",
  tag: "members",
  summary: "Takes an invitation",
  description:
    "For whoever has its token; there is nothing else to show. An address that has an account already joins with the account's password.",
  access: "open",
  rate: "login",
  body: acceptInvitationBody,
  replies: { 200: { description: "Who may log in now, and where.", schema: acceptInvitationReply } },
  problems: [
    "invitation_invalid",
    "weak_password",
    "wrong_password",
    "no_password",
    "too_busy",
    "too_many_attempts",
  ],
  handle: async ({ operations, body, origin }) => ({
    status: 200,
    body: await acceptInvitation(operations, { body, origin }),
  }),
});
