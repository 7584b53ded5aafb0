import { idSchema, userConfig } from "@berth/contract";
import { z } from "zod";
import { removeSpFragment } from "../../operations/user-config-entries.ts";
import { endpoint } from "../endpoint.ts";
import { userConfigAnswer } from "../user-config-answer.ts";

export const removeSpFragmentRoute = endpoint({
  id: "removeSpFragment",
  method: "delete",
  path: "/api/v1/user-config/sp-fragments",
  tag: "user-config",
  summary: "Removes a text of the system prompt",
  query: z.strictObject({ id: idSchema("spFragment") }),
  replies: { 200: { description: "The config without it.", schema: userConfig } },
  problems: ["entry_not_found"],
  async handle({ operations, principal, query, origin }) {
    return userConfigAnswer(200, await removeSpFragment(operations, principal, { id: query.id, origin }));
  },
});
