import { quotas } from "@berth/contract";
import { listQuotas } from "../../operations/quotas.ts";
import { endpoint } from "../endpoint.ts";

export const listQuotasRoute = endpoint({
  id: "listQuotas",
  method: "get",
  path: "/api/v1/quotas",
  tag: "limits",
  summary: "What the organization may have, and has",
  replies: { 200: { description: "Every quota.", schema: quotas } },
  async handle({ operations, principal }) {
    return { status: 200, body: await listQuotas(operations, principal) };
  },
});
