import { endOwnLogins } from "../../operations/own-account.ts";
import { endpoint } from "../endpoint.ts";
import { loginPath } from "../path-params.ts";

export const endOwnLoginRoute = endpoint({
  id: "endOwnLogin",
  method: "delete",
  path: "/api/v1/users/me/logins/{loginId}",
  tag: "users",
  summary: "Ends one of one's logins",
  description: "Not with an API key, which is good for one organization.",
  params: loginPath,
  replies: { 204: { description: "It is ended." } },
  problems: ["login_not_found", "not_a_person"],
  async handle({ operations, principal, params, origin }) {
    await endOwnLogins(operations, principal, { ...params, origin });
    return { status: 204, body: null };
  },
});
