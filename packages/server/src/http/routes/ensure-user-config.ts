import { userConfig } from "@berth/contract";
import { ensureUserConfig } from "../../operations/user-config.ts";
import { endpoint } from "../endpoint.ts";
import { userConfigHeaders } from "../user-config-answer.ts";

export const ensureUserConfigRoute = endpoint({
  id: "ensureUserConfig",
  method: "get",
  path: "/api/v1/user-config/ensure",
  tag: "user-config",
  summary: "The caller's own config, made with the defaults when there is none",
  replies: { 200: { description: "The config.", schema: userConfig } },
  async handle({ operations, principal, origin }) {
    const config = await ensureUserConfig(operations, principal, { origin });
    return { status: 200, body: config, headers: userConfigHeaders(config) };
  },
});
