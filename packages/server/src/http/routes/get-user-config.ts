import { userConfig } from "@berth/contract";
import { getUserConfig } from "../../operations/user-config.ts";
import { endpoint } from "../endpoint.ts";
import { userConfigHeaders } from "../user-config-answer.ts";

export const getUserConfigRoute = endpoint({
  id: "getUserConfig",
  method: "get",
  path: "/api/v1/user-config",
  tag: "user-config",
  summary: "The caller's own config",
  replies: { 200: { description: "The config.", schema: userConfig } },
  problems: ["user_config_not_found"],
  async handle({ operations, principal }) {
    const config = await getUserConfig(operations, principal);
    return { status: 200, body: config, headers: userConfigHeaders(config) };
  },
});
