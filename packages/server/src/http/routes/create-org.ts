import { createInvitationReply, createOrgBody, org } from "@berth/contract";
import { z } from "zod";
import { createOrg } from "../../operations/orgs.ts";
import { endpoint } from "../endpoint.ts";
import { replayHeaders } from "../settled-answer.ts";

export const createOrgRoute = endpoint({
  id: "createOrg",
  method: "post",
  path: "/api/v1/orgs",
  tag: "orgs",
  summary: "Makes an organization",
  description:
    "For the operator of the server. With `owner`, its first owner gets an invitation, whose token is shown this once.",
  body: createOrgBody,
  replies: {
    201: {
      description: "The organization, and its owner's invitation.",
      schema: z.strictObject({ org, invitation: createInvitationReply.nullable() }),
    },
  },
  problems: ["org_slug_taken", "already_created"],
  async handle({ operations, principal, body, origin }) {
    const { org: made, invitation, replayed } = await createOrg(operations, principal, { body, origin });
    return { status: 201, body: { org: made, invitation }, headers: replayHeaders({ replayed }) };
  },
});
