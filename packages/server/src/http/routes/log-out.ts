import { endpoint } from "../endpoint.ts";
import { loginDoors } from "../login-doors.ts";
import { emptyBody } from "../path-params.ts";
import { presentedOf } from "../presented.ts";

export const logOutRoute = endpoint({
  id: "logOut",
  method: "post",
  path: "/api/v1/logout",
  tag: "login",
  summary: "Ends the login whose cookie comes along",
  description: "Its open streams end too. Who calls with a key has no login, and nothing happens.",
  body: emptyBody,
  bodyOptional: true,
  replies: { 204: { description: "It is over, and its cookies are cleared." } },
  problems: ["csrf_failed", "login_off"],
  async handle({ context, request, requestId }) {
    const cookies = await loginDoors(context).logins.end({ presented: presentedOf(request), requestId });
    return { status: 204, body: null, cookies };
  },
});
