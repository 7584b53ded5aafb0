import { quotas, setQuotasBody } from "@berth/contract";
import { setQuotas } from "../../operations/quotas.ts";
import { endpoint } from "../endpoint.ts";
import { orgPath } from "../path-params.ts";

export const setQuotasRoute = endpoint({
  id: "setQuotas",
  method: "put",
  path: "/api/v1/orgs/{orgId}/quotas",
  tag: "limits",
  summary: "Sets what an organization may have",
  description:
    "For the operator. What is not named has the server's default again. What is over a quota already stays; no more is made.",
  params: orgPath,
  body: setQuotasBody,
  replies: { 200: { description: "Every quota as it is now.", schema: quotas } },
  problems: ["org_not_found"],
  async handle({ operations, principal, params, body, origin }) {
    return { status: 200, body: await setQuotas(operations, principal, { ...params, body, origin }) };
  },
});
