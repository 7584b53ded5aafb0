import { endOwnLogins } from "../../operations/own-account.ts";
import { endpoint } from "../endpoint.ts";

export const endOwnLoginsRoute = endpoint({
  id: "endOwnLogins",
  method: "delete",
  path: "/api/v1/users/me/logins",
  tag: "users",
  summary: "Ends all of one's logins but the one that asks",
  description: "Not with an API key, which is good for one organization.",
  replies: { 204: { description: "They are ended." } },
  problems: ["not_a_person"],
  async handle({ operations, principal, origin }) {
    await endOwnLogins(operations, principal, { loginId: null, origin });
    return { status: 204, body: null };
  },
});
