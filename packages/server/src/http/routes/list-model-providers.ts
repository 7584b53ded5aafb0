import { modelProvider, pageOf } from "@berth/contract";
import { listModelProviders } from "../../operations/model-providers.ts";
import { endpoint } from "../endpoint.ts";

export const listModelProvidersRoute = endpoint({
  id: "listModelProviders",
  method: "get",
  path: "/api/v1/model-providers",
  tag: "catalog",
  summary: "The model providers of the organization",
  description: "Without their keys, which nobody can read.",
  replies: { 200: { description: "All of them.", schema: pageOf(modelProvider) } },
  async handle({ operations, principal }) {
    return { status: 200, body: { items: await listModelProviders(operations, principal), next: null } };
  },
});
