import { pageOf, userLogin } from "@berth/contract";
import { listOwnLogins } from "../../operations/own-account.ts";
import { endpoint } from "../endpoint.ts";

export const listOwnLoginsRoute = endpoint({
  id: "listOwnLogins",
  method: "get",
  path: "/api/v1/users/me/logins",
  tag: "users",
  summary: "Where one is logged in",
  description: "Not with an API key, which is good for one organization.",
  replies: { 200: { description: "All of them, newest first.", schema: pageOf(userLogin) } },
  problems: ["not_a_person"],
  handle: async ({ operations, principal }) => ({
    status: 200,
    body: await listOwnLogins(operations, principal),
  }),
});
