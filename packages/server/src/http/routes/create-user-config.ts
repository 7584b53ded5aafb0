import { userConfig, userConfigBody } from "@berth/contract";
import { createUserConfig } from "../../operations/user-config.ts";
import { endpoint } from "../endpoint.ts";
import { userConfigAnswer } from "../user-config-answer.ts";

export const createUserConfigRoute = endpoint({
  id: "createUserConfig",
  method: "post",
  path: "/api/v1/user-config",
  tag: "user-config",
  summary: "Makes the caller's own config",
  description: "What is not named gets its default.",
  body: userConfigBody,
  bodyOptional: true,
  replies: { 201: { description: "The config.", schema: userConfig } },
  problems: ["address_refused", "user_config_exists", "user_providers_off"],
  async handle({ operations, principal, body, origin }) {
    return userConfigAnswer(201, await createUserConfig(operations, principal, { body, origin }));
  },
});
