import { org, updateOrgBody } from "@berth/contract";
import { updateOrg } from "../../operations/orgs.ts";
import { endpoint } from "../endpoint.ts";
import { orgPath } from "../path-params.ts";

export const updateOrgRoute = endpoint({
  id: "updateOrg",
  method: "patch",
  path: "/api/v1/orgs/{orgId}",
  tag: "orgs",
  summary: "Changes an organization's name and settings; for the operator its slug too",
  description:
    "The operator of the server suspends and resumes it: nobody else gets into one that is suspended.",
  params: orgPath,
  body: updateOrgBody,
  replies: { 200: { description: "The organization as it is now.", schema: org } },
  problems: ["org_not_found", "org_slug_taken", "org_erasing", "home_org"],
  handle: async ({ operations, principal, params, body, origin }) => ({
    status: 200,
    body: await updateOrg(operations, principal, { ...params, body, origin }),
  }),
});
