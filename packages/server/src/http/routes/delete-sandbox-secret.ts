import { deleteSandboxSecret } from "../../operations/sandbox-secrets.ts";
import { endpoint } from "../endpoint.ts";
import { sandboxSecretPath } from "../path-params.ts";

export const deleteSandboxSecretRoute = endpoint({
  id: "deleteSandboxSecret",
  method: "delete",
  path: "/api/v1/sandbox-secrets/{secretName}",
  tag: "catalog",
  summary: "Deletes a secret for sandboxes",
  description: "Sandboxes that are live keep it until their next command.",
  params: sandboxSecretPath,
  replies: { 204: { description: "It is gone." } },
  problems: ["sandbox_secret_not_found"],
  async handle({ operations, principal, params, origin }) {
    await deleteSandboxSecret(operations, principal, { name: params.secretName, origin });
    return { status: 204, body: null };
  },
});
