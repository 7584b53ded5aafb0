import { updateUserBody, user } from "@berth/contract";
import { updateOwnAccount } from "../../operations/own-account.ts";
import { endpoint } from "../endpoint.ts";

export const updateOwnAccountRoute = endpoint({
  id: "updateOwnAccount",
  method: "patch",
  path: "/api/v1/users/me",
  tag: "users",
  summary: "Changes one's own name",
  description: "Not with an API key, which is good for one organization.",
  body: updateUserBody,
  replies: { 200: { description: "The account as it is now.", schema: user } },
  problems: ["not_a_person"],
  handle: async ({ operations, principal, body, origin }) => ({
    status: 200,
    body: await updateOwnAccount(operations, principal, { ...body, origin }),
  }),
});
