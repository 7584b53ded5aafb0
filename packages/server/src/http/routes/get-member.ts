import { member } from "@berth/contract";
import { getMember } from "../../operations/members.ts";
import { endpoint } from "../endpoint.ts";
import { memberPath } from "../path-params.ts";

export const getMemberRoute = endpoint({
  id: "getMember",
  method: "get",
  path: "/api/v1/members/{userId}",
  tag: "members",
  summary: "One member",
  params: memberPath,
  replies: { 200: { description: "The member.", schema: member } },
  problems: ["member_not_found"],
  handle: async ({ operations, principal, params }) => ({
    status: 200,
    body: await getMember(operations, principal, params),
  }),
});
