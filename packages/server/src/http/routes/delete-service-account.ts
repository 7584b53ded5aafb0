import { deleteServiceAccount } from "../../operations/service-accounts.ts";
import { endpoint } from "../endpoint.ts";
import { serviceAccountPath } from "../path-params.ts";

export const deleteServiceAccountRoute = endpoint({
  id: "deleteServiceAccount",
  method: "delete",
  path: "/api/v1/service-accounts/{serviceAccountId}",
  tag: "members",
  summary: "Deletes a service account, with its keys and certificates",
  params: serviceAccountPath,
  replies: { 204: { description: "It is gone; its sessions stay." } },
  problems: ["service_account_not_found"],
  async handle({ operations, principal, params, origin }) {
    await deleteServiceAccount(operations, principal, { ...params, origin });
    return { status: 204, body: null };
  },
});
