import { destroySandbox } from "../../operations/sandboxes.ts";
import { endpoint } from "../endpoint.ts";
import { sandboxPath } from "../path-params.ts";

export const deleteSandboxRoute = endpoint({
  id: "deleteSandbox",
  method: "delete",
  path: "/api/v1/sandboxes/{sandboxId}",
  tag: "sandboxes",
  summary: "Ends what runs in a sandbox and takes it back",
  description:
    "The files stay; the next command gets a new sandbox with them. Its owner's, or with session:manage.",
  params: sandboxPath,
  replies: { 204: { description: "It is taken back." } },
  problems: ["sandbox_not_found", "sandbox_host_error"],
  async handle({ operations, principal, params, origin }) {
    await destroySandbox(operations, principal, { ...params, origin });
    return { status: 204, body: null };
  },
});
