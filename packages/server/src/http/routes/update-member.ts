import { member, updateMemberBody } from "@berth/contract";
import { updateMember } from "../../operations/members.ts";
import { endpoint } from "../endpoint.ts";
import { memberPath } from "../path-params.ts";

export const updateMemberRoute = endpoint({
  id: "updateMember",
  method: "patch",
  path: "/api/v1/members/{userId}",
  tag: "members",
  summary: "Changes a member's role, suspends or resumes it",
  description:
    "Open streams follow within seconds. Nobody gives more than it has, changes itself, or takes the last owner away.",
  params: memberPath,
  body: updateMemberBody,
  replies: { 200: { description: "The member as it is now.", schema: member } },
  problems: ["member_not_found", "unknown_role", "own_membership", "last_owner", "operator_account"],
  handle: async ({ operations, principal, params, body, origin }) => ({
    status: 200,
    body: await updateMember(operations, principal, { ...params, body, origin }),
  }),
});
