import { idSchema, userConfig } from "@berth/contract";
import { z } from "zod";
import { removeSharedLink } from "../../operations/user-config-entries.ts";
import { endpoint } from "../endpoint.ts";
import { userConfigAnswer } from "../user-config-answer.ts";

export const removeSharedLinkRoute = endpoint({
  id: "removeSharedLink",
  method: "delete",
  path: "/api/v1/user-config/shared-links",
  tag: "user-config",
  summary: "Removes a bookmark of a shared link",
  query: z.strictObject({ id: idSchema("sharedLink") }),
  replies: { 200: { description: "The config without it.", schema: userConfig } },
  problems: ["entry_not_found"],
  async handle({ operations, principal, query, origin }) {
    return userConfigAnswer(200, await removeSharedLink(operations, principal, { id: query.id, origin }));
  },
});
