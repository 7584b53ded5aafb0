import { user } from "@berth/contract";
import { getOwnAccount } from "../../operations/own-account.ts";
import { endpoint } from "../endpoint.ts";

export const getOwnAccountRoute = endpoint({
  id: "getOwnAccount",
  method: "get",
  path: "/api/v1/users/me",
  tag: "users",
  summary: "One's own account, in all its organizations; with a key, in the key's",
  replies: { 200: { description: "The account.", schema: user } },
  problems: ["not_a_person"],
  handle: async ({ operations, principal }) => ({
    status: 200,
    body: await getOwnAccount(operations, principal),
  }),
});
