import { serviceAccount } from "@berth/contract";
import { getServiceAccount } from "../../operations/service-accounts.ts";
import { endpoint } from "../endpoint.ts";
import { serviceAccountPath } from "../path-params.ts";

export const getServiceAccountRoute = endpoint({
  id: "getServiceAccount",
  method: "get",
  path: "/api/v1/service-accounts/{serviceAccountId}",
  tag: "members",
  summary: "One service account",
  params: serviceAccountPath,
  replies: { 200: { description: "The service account.", schema: serviceAccount } },
  problems: ["service_account_not_found"],
  handle: async ({ operations, principal, params }) => ({
    status: 200,
    body: await getServiceAccount(operations, principal, params),
  }),
});
