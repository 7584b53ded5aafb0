import { email, member, pageOf } from "@berth/contract";
import { z } from "zod";
import { listMembers } from "../../operations/members.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined } from "../query.ts";

export const listMembersRoute = endpoint({
  id: "listMembers",
  method: "get",
  path: "/api/v1/members",
  tag: "members",
  summary: "The organization's people",
  query: z.strictObject({ ...pageQueryOf("user"), email: email.optional() }),
  replies: { 200: { description: "A page, in the order of ids.", schema: pageOf(member) } },
  handle: async ({ operations, principal, query }) => ({
    status: 200,
    body: await listMembers(operations, principal, defined(query)),
  }),
});
