import { modelList } from "@berth/contract";
import { listModels } from "../../operations/list-capabilities.ts";
import { endpoint } from "../endpoint.ts";

export const listModelsRoute = endpoint({
  id: "listModels",
  method: "get",
  path: "/api/v1/models",
  tag: "catalog",
  summary: "The models that the providers list",
  replies: { 200: { description: "All of them.", schema: modelList } },
  async handle({ operations, principal }) {
    return { status: 200, body: await listModels(operations, principal) };
  },
});
