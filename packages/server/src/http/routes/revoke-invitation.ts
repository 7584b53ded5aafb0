import { revokeInvitation } from "../../operations/invitations.ts";
import { endpoint } from "../endpoint.ts";
import { invitationPath } from "../path-params.ts";

export const revokeInvitationRoute = endpoint({
  id: "revokeInvitation",
  method: "delete",
  path: "/api/v1/invitations/{invitationId}",
  tag: "members",
  summary: "Takes an invitation back",
  params: invitationPath,
  replies: { 204: { description: "It can be used no more." } },
  problems: ["invitation_not_found"],
  async handle({ operations, principal, params, origin }) {
    await revokeInvitation(operations, principal, { ...params, origin });
    return { status: 204, body: null };
  },
});
