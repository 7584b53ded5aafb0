import { modelProvider, modelProviderBody } from "@berth/contract";
import { putModelProvider } from "../../operations/model-providers.ts";
import { endpoint } from "../endpoint.ts";
import { modelProviderPath } from "../path-params.ts";
import { replayHeaders } from "../settled-answer.ts";

export const putModelProviderRoute = endpoint({
  id: "putModelProvider",
  method: "put",
  path: "/api/v1/model-providers/{providerName}",
  tag: "catalog",
  summary: "Makes or replaces a model provider of the organization",
  description:
    "Its models are called as `name/model`, before those of a provider of the server with the same name. A key that is left out stays, but not when the address changes to another server.",
  params: modelProviderPath,
  body: modelProviderBody,
  replies: { 200: { description: "The provider.", schema: modelProvider } },
  problems: ["address_refused", "too_many_model_providers"],
  async handle({ operations, principal, params, body, origin }) {
    const saved = await putModelProvider(operations, principal, { name: params.providerName, body, origin });
    return { status: 200, body: saved.provider, headers: replayHeaders(saved) };
  },
});
