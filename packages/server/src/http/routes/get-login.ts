import { currentLogin } from "@berth/contract";
import { describeLogin } from "../../operations/describe-login.ts";
import { endpoint } from "../endpoint.ts";
import { loginDoors } from "../login-doors.ts";
import { requireLogin } from "../require-login.ts";

export const getLoginRoute = endpoint({
  id: "getLogin",
  method: "get",
  path: "/api/v1/login",
  tag: "login",
  summary: "The login whose cookie comes along",
  replies: { 200: { description: "Who is logged in, and where.", schema: currentLogin } },
  problems: ["login_off", "not_logged_in"],
  async handle(call) {
    const login = await requireLogin(call);
    return { status: 200, body: await describeLogin(loginDoors(call.context).identity, login) };
  },
});
