import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { oidcLogin } from "../login-doors.ts";
import { presentedOf } from "../presented.ts";
import { providerPath, redirect } from "../redirect.ts";

/** A path of this server and never another one: `//host` and `/\host` would be. */
const returnTo = z
  .string()
  .max(500)
  .regex(/^\/(?![/\\])[\u0021-\u005b\u005d-\u007e]*$/, "must be a path of this server")
  .default("/");

export const beginOidcLoginRoute = endpoint({
  id: "beginOidcLogin",
  method: "get",
  path: "/api/v1/login/oidc/{provider}",
  tag: "login",
  summary: "Sends a browser to an identity provider to log in",
  access: "open",
  rate: "login",
  params: providerPath,
  query: z.strictObject({ returnTo: returnTo.describe("where to go afterwards: a path of this server") }),
  replies: { 302: { description: "To the identity provider." } },
  problems: ["identity_provider_unavailable", "login_off", "login_provider_not_found", "rate_limited"],
  async handle({ context, params, query, request }) {
    const from = { presented: presentedOf(request), returnTo: query.returnTo };
    return { raw: redirect(await oidcLogin(context).begin(params.provider, from)) };
  },
});
