import { sharedLinkBody, userConfig } from "@berth/contract";
import { addSharedLink } from "../../operations/user-config-entries.ts";
import { endpoint } from "../endpoint.ts";
import { userConfigAnswer } from "../user-config-answer.ts";

export const addSharedLinkRoute = endpoint({
  id: "addSharedLink",
  method: "post",
  path: "/api/v1/user-config/shared-links",
  tag: "user-config",
  summary: "Adds a bookmark of a link that the caller has shared",
  body: sharedLinkBody,
  replies: {
    201: { description: "The config; what was added is the last of its list.", schema: userConfig },
  },
  async handle({ operations, principal, body, origin }) {
    return userConfigAnswer(201, await addSharedLink(operations, principal, { entry: body, origin }));
  },
});
