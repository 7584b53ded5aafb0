import { createServiceAccountBody, serviceAccount } from "@berth/contract";
import { createServiceAccount } from "../../operations/service-accounts.ts";
import { endpoint } from "../endpoint.ts";
import { replayHeaders } from "../settled-answer.ts";

export const createServiceAccountRoute = endpoint({
  id: "createServiceAccount",
  method: "post",
  path: "/api/v1/service-accounts",
  tag: "members",
  summary: "Makes an account for a program",
  description: "It acts with API keys, or with client certificates that the operator of the server names.",
  body: createServiceAccountBody,
  replies: { 201: { description: "The service account.", schema: serviceAccount } },
  problems: ["service_account_name_taken", "certificate_taken", "unknown_role"],
  async handle({ operations, principal, body, origin }) {
    const { account, replayed } = await createServiceAccount(operations, principal, { body, origin });
    return { status: 201, body: account, headers: replayHeaders({ replayed }) };
  },
});
