import { invitation, pageOf } from "@berth/contract";
import { z } from "zod";
import { listInvitations } from "../../operations/invitations.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined, flag } from "../query.ts";

export const listInvitationsRoute = endpoint({
  id: "listInvitations",
  method: "get",
  path: "/api/v1/invitations",
  tag: "members",
  summary: "The organization's invitations",
  query: z.strictObject({
    ...pageQueryOf("invitation"),
    open: flag.optional().describe("only those that can be used"),
  }),
  replies: { 200: { description: "A page, newest first.", schema: pageOf(invitation) } },
  handle: async ({ operations, principal, query }) => ({
    status: 200,
    body: await listInvitations(operations, principal, defined(query)),
  }),
});
