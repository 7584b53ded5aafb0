import { currentLogin, moveLoginBody } from "@berth/contract";
import { orgNotFound } from "../../auth/org-choice.ts";
import { describeLogin } from "../../operations/describe-login.ts";
import { endpoint } from "../endpoint.ts";
import { loginDoors } from "../login-doors.ts";
import { requireLogin } from "../require-login.ts";

export const moveLoginRoute = endpoint({
  id: "moveLogin",
  method: "post",
  path: "/api/v1/login/org",
  tag: "login",
  summary: "Goes to another organization that the person is a member of",
  description: "What the cookie opens from then on. For one request `X-Berth-Org` does the same.",
  body: moveLoginBody,
  replies: { 200: { description: "The login, there.", schema: currentLogin } },
  problems: ["csrf_failed", "login_off", "not_logged_in", "org_not_found"],
  async handle(call) {
    const { org: wanted } = call.body;
    const { logins, identity } = loginDoors(call.context);
    const login = await requireLogin(call);
    const memberships = await identity.listMemberships(login.userId);
    const there = memberships.find(({ org }) => org.id === wanted || org.slug === wanted)?.org;
    if (there?.status !== "active") throw orgNotFound(wanted);
    const moved = await logins.moveTo(login, there.id);
    return { status: 200, body: await describeLogin(identity, moved) };
  },
});
