import { userConfig, userConfigBody } from "@berth/contract";
import { putUserConfig } from "../../operations/user-config.ts";
import { endpoint } from "../endpoint.ts";
import { ifMatchOf } from "../request-headers.ts";
import { userConfigAnswer } from "../user-config-answer.ts";

export const putUserConfigRoute = endpoint({
  id: "putUserConfig",
  method: "put",
  path: "/api/v1/user-config",
  tag: "user-config",
  summary: "Changes the caller's own config, or makes it",
  description:
    'What is not named stays as it is; a list replaces the whole list. With `If-Match: "<version>"` only if that is still the version.',
  body: userConfigBody,
  replies: { 200: { description: "The config.", schema: userConfig } },
  problems: ["address_refused", "user_providers_off", "version_mismatch"],
  async handle({ operations, principal, body, origin, request }) {
    const ifVersion = ifMatchOf(request.headers);
    return userConfigAnswer(200, await putUserConfig(operations, principal, { body, origin, ifVersion }));
  },
});
