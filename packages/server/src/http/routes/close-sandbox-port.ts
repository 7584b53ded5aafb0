import { closePort } from "../../operations/sandbox-ports.ts";
import { endpoint } from "../endpoint.ts";
import { portPath } from "../path-params.ts";

export const closeSandboxPortRoute = endpoint({
  id: "closeSandboxPort",
  method: "delete",
  path: "/api/v1/sandboxes/{sandboxId}/ports/{port}",
  tag: "sandboxes",
  summary: "Closes a port: every address of it is worthless at once",
  params: portPath,
  replies: { 204: { description: "It is closed." } },
  problems: ["sandbox_not_found", "preview_not_found"],
  async handle({ operations, principal, params, origin }) {
    await closePort(operations, principal, { ...params, origin });
    return { status: 204, body: null };
  },
});
