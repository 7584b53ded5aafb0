import { org, pageOf } from "@berth/contract";
import { z } from "zod";
import { listOrgs } from "../../operations/orgs.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined } from "../query.ts";

export const listOrgsRoute = endpoint({
  id: "listOrgs",
  method: "get",
  path: "/api/v1/orgs",
  tag: "orgs",
  summary: "Every organization, for the operator",
  query: z.strictObject(pageQueryOf("org")),
  replies: { 200: { description: "A page, in the order of ids.", schema: pageOf(org) } },
  handle: async ({ operations, principal, query }) => ({
    status: 200,
    body: await listOrgs(operations, principal, defined(query)),
  }),
});
