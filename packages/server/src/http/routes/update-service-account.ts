import { serviceAccount, updateServiceAccountBody } from "@berth/contract";
import { updateServiceAccount } from "../../operations/service-accounts.ts";
import { endpoint } from "../endpoint.ts";
import { serviceAccountPath } from "../path-params.ts";

export const updateServiceAccountRoute = endpoint({
  id: "updateServiceAccount",
  method: "patch",
  path: "/api/v1/service-accounts/{serviceAccountId}",
  tag: "members",
  summary: "Changes a service account: name, role, status, certificates",
  params: serviceAccountPath,
  body: updateServiceAccountBody,
  replies: { 200: { description: "The service account as it is now.", schema: serviceAccount } },
  problems: [
    "service_account_not_found",
    "service_account_name_taken",
    "certificate_taken",
    "unknown_role",
    "own_membership",
  ],
  handle: async ({ operations, principal, params, body, origin }) => ({
    status: 200,
    body: await updateServiceAccount(operations, principal, { ...params, body, origin }),
  }),
});
