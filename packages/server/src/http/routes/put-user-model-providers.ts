import { userConfig, userModelProvidersBody } from "@berth/contract";
import { putUserModelProviders } from "../../operations/user-config.ts";
import { endpoint } from "../endpoint.ts";
import { ifMatchOf } from "../request-headers.ts";
import { userConfigAnswer } from "../user-config-answer.ts";

export const putUserModelProvidersRoute = endpoint({
  id: "putUserModelProviders",
  method: "put",
  path: "/api/v1/user-config/model-providers",
  tag: "user-config",
  summary: "Replaces the caller's own model providers",
  description:
    "They serve the caller's own sessions, before those of the organization and of the server. Keys are only written: replies say whether there is one.",
  body: userModelProvidersBody,
  replies: { 200: { description: "The config.", schema: userConfig } },
  problems: ["address_refused", "user_providers_off", "version_mismatch"],
  async handle({ operations, principal, body, origin, request }) {
    const change = { ...body, origin, ifVersion: ifMatchOf(request.headers) };
    return userConfigAnswer(200, await putUserModelProviders(operations, principal, change));
  },
});
