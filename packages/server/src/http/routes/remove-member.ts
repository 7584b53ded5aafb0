import { removeMember } from "../../operations/members.ts";
import { endpoint } from "../endpoint.ts";
import { memberPath } from "../path-params.ts";

export const removeMemberRoute = endpoint({
  id: "removeMember",
  method: "delete",
  path: "/api/v1/members/{userId}",
  tag: "members",
  summary: "Ends a membership, with its keys and logins",
  description: "What the person made stays. Everybody may leave.",
  params: memberPath,
  replies: { 204: { description: "It is gone." } },
  problems: ["member_not_found", "last_owner", "operator_account"],
  async handle({ operations, principal, params, origin }) {
    await removeMember(operations, principal, { ...params, origin });
    return { status: 204, body: null };
  },
});
