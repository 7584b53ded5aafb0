import { loginBody, startedLogin } from "@berth/contract";
import { refuseForeignOrigin } from "../../auth/same-origin.ts";
import { Secret } from "../../lib/secret.ts";
import { describeLogin } from "../../operations/describe-login.ts";
import { endpoint } from "../endpoint.ts";
import { loginDoors, loginOff } from "../login-doors.ts";
import { presentedOf } from "../presented.ts";

export const logInRoute = endpoint({
  id: "logIn",
  method: "post",
  path: "/api/v1/login",
  tag: "login",
  summary: "Logs a person in with email and password",
  description:
    "Sets a cookie that browsers send from then on. Whatever changes something needs the reply's `csrfToken` as `X-CSRF-Token` besides. Programs use keys.",
  access: "open",
  rate: "login",
  body: loginBody,
  replies: { 201: { description: "The login.", schema: startedLogin } },
  problems: ["csrf_failed", "login_off", "login_refused", "too_busy", "too_many_attempts"],
  async handle({ context, body, request, requestId }) {
    const { password, identity, origins } = loginDoors(context);
    if (password === null) throw loginOff();
    const presented = presentedOf(request);
    refuseForeignOrigin(presented, origins);
    const given = { email: body.email, password: new Secret(body.password), org: body.org ?? null };
    const { login, csrfToken, cookies } = await password.logIn(given, { presented, requestId });
    return { status: 201, body: { ...(await describeLogin(identity, login)), csrfToken }, cookies };
  },
});
