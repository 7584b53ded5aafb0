import { pageOf, sandboxSecret } from "@berth/contract";
import { listSandboxSecrets } from "../../operations/sandbox-secrets.ts";
import { endpoint } from "../endpoint.ts";

export const listSandboxSecretsRoute = endpoint({
  id: "listSandboxSecrets",
  method: "get",
  path: "/api/v1/sandbox-secrets",
  tag: "catalog",
  summary: "The names of the organization's secrets for sandboxes",
  description: "Their values and hosts are only ever written.",
  replies: { 200: { description: "All of them.", schema: pageOf(sandboxSecret) } },
  async handle({ operations, principal }) {
    return { status: 200, body: { items: await listSandboxSecrets(operations, principal), next: null } };
  },
});
