import { changePasswordBody } from "@berth/contract";
import { changeOwnPassword } from "../../operations/own-account.ts";
import { endpoint } from "../endpoint.ts";

export const changeOwnPasswordRoute = endpoint({
  id: "changeOwnPassword",
  method: "put",
  path: "/api/v1/users/me/password",
  tag: "users",
  summary: "Changes one's own password, and ends every other login",
  rate: "login",
  body: changePasswordBody,
  replies: { 204: { description: "It is changed." } },
  problems: [
    "not_a_person",
    "no_password",
    "wrong_password",
    "weak_password",
    "too_busy",
    "too_many_attempts",
  ],
  async handle({ operations, principal, body, origin }) {
    await changeOwnPassword(operations, principal, { body, origin });
    return { status: 204, body: null };
  },
});
