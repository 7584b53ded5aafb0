import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { oidcLogin } from "../login-doors.ts";
import { presentedOf } from "../presented.ts";
import { providerPath, redirect } from "../redirect.ts";

export const finishOidcLoginRoute = endpoint({
  id: "finishOidcLogin",
  method: "get",
  path: "/api/v1/login/oidc/{provider}/callback",
  tag: "login",
  summary: "Where an identity provider sends a browser back to",
  description: "Only in the browser in which the login was begun, and only once.",
  access: "open",
  rate: "login",
  params: providerPath,
  // The provider says what it likes besides; what counts is checked by the protocol.
  query: z.looseObject({}),
  replies: { 302: { description: "Logged in: to where the browser wanted to go." } },
  problems: [
    "identity_provider_unavailable",
    "login_off",
    "login_provider_not_found",
    "login_refused",
    "rate_limited",
  ],
  async handle({ context, params, request, requestId }) {
    const { search } = new URL(request.url);
    const back = { presented: presentedOf(request), requestId, search };
    return { raw: redirect(await oidcLogin(context).finish(params.provider, back)) };
  },
});
