import { deleteUserConfig } from "../../operations/user-config.ts";
import { endpoint } from "../endpoint.ts";

export const deleteUserConfigRoute = endpoint({
  id: "deleteUserConfig",
  method: "delete",
  path: "/api/v1/user-config",
  tag: "user-config",
  summary: "Deletes the caller's own config, with the keys of its model providers",
  replies: { 204: { description: "It is gone." } },
  problems: ["user_config_not_found"],
  async handle({ operations, principal, origin }) {
    await deleteUserConfig(operations, principal, { origin });
    return { status: 204, body: null };
  },
});
