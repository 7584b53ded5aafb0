import { spFragmentBody, userConfig } from "@berth/contract";
import { addSpFragment } from "../../operations/user-config-entries.ts";
import { endpoint } from "../endpoint.ts";
import { userConfigAnswer } from "../user-config-answer.ts";

export const addSpFragmentRoute = endpoint({
  id: "addSpFragment",
  method: "post",
  path: "/api/v1/user-config/sp-fragments",
  tag: "user-config",
  summary: "Adds a text to the system prompt of the caller's sessions",
  body: spFragmentBody,
  replies: {
    201: { description: "The config; what was added is the last of its list.", schema: userConfig },
  },
  async handle({ operations, principal, body, origin }) {
    return userConfigAnswer(201, await addSpFragment(operations, principal, { entry: body, origin }));
  },
});
