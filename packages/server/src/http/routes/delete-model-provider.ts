import { deleteModelProvider } from "../../operations/model-providers.ts";
import { endpoint } from "../endpoint.ts";
import { modelProviderPath } from "../path-params.ts";

export const deleteModelProviderRoute = endpoint({
  id: "deleteModelProvider",
  method: "delete",
  path: "/api/v1/model-providers/{providerName}",
  tag: "catalog",
  summary: "Deletes a model provider of the organization, with its key",
  params: modelProviderPath,
  replies: { 204: { description: "It is gone." } },
  problems: ["model_provider_not_found"],
  async handle({ operations, principal, params, origin }) {
    await deleteModelProvider(operations, principal, { name: params.providerName, origin });
    return { status: 204, body: null };
  },
});
