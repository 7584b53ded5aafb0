import { loginMethods } from "@berth/contract";
import { endpoint } from "../endpoint.ts";

export const listLoginMethodsRoute = endpoint({
  id: "listLoginMethods",
  method: "get",
  path: "/api/v1/login/methods",
  tag: "login",
  summary: "How people can log in here",
  access: "open",
  replies: { 200: { description: "The methods that are on.", schema: loginMethods } },
  handle({ context }) {
    const providers = (context.login?.oidc?.providers ?? []).map(({ name, label }) => ({
      name,
      label,
      path: `/api/v1/login/oidc/${name}`,
    }));
    return { status: 200, body: { password: (context.login?.password ?? null) !== null, providers } };
  },
});
