import { sandboxSecret, sandboxSecretBody } from "@berth/contract";
import { putSandboxSecret } from "../../operations/sandbox-secrets.ts";
import { endpoint } from "../endpoint.ts";
import { sandboxSecretPath } from "../path-params.ts";
import { replayHeaders } from "../settled-answer.ts";

export const putSandboxSecretRoute = endpoint({
  id: "putSandboxSecret",
  method: "put",
  path: "/api/v1/sandbox-secrets/{secretName}",
  tag: "catalog",
  summary: "Makes or replaces a secret for sandboxes",
  description:
    "Agents name it in `sandbox.secrets`. Their sandboxes get a placeholder, which becomes the secret on the way to its hosts.",
  params: sandboxSecretPath,
  body: sandboxSecretBody,
  replies: { 200: { description: "The secret, without its value.", schema: sandboxSecret } },
  problems: ["too_many_sandbox_secrets"],
  async handle({ operations, principal, params, body, origin }) {
    const saved = await putSandboxSecret(operations, principal, { name: params.secretName, body, origin });
    return { status: 200, body: saved.secret, headers: replayHeaders(saved) };
  },
});
