import { org } from "@berth/contract";
import { getOrg } from "../../operations/orgs.ts";
import { endpoint } from "../endpoint.ts";
import { orgPath } from "../path-params.ts";

export const getOrgRoute = endpoint({
  id: "getOrg",
  method: "get",
  path: "/api/v1/orgs/{orgId}",
  tag: "orgs",
  summary: "One's own organization, by id or by slug",
  params: orgPath,
  replies: { 200: { description: "The organization.", schema: org } },
  problems: ["org_not_found"],
  handle: async ({ operations, principal, params }) => ({
    status: 200,
    body: await getOrg(operations, principal, params),
  }),
});
