import { pageOf, serviceAccount } from "@berth/contract";
import { z } from "zod";
import { listServiceAccounts } from "../../operations/service-accounts.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined } from "../query.ts";

export const listServiceAccountsRoute = endpoint({
  id: "listServiceAccounts",
  method: "get",
  path: "/api/v1/service-accounts",
  tag: "members",
  summary: "The organization's accounts for programs",
  query: z.strictObject(pageQueryOf("serviceAccount")),
  replies: { 200: { description: "A page, in the order of ids.", schema: pageOf(serviceAccount) } },
  handle: async ({ operations, principal, query }) => ({
    status: 200,
    body: await listServiceAccounts(operations, principal, defined(query)),
  }),
});
