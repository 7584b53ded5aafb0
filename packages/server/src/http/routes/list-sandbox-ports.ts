import { sandboxPortList } from "@berth/contract";
import { listPorts } from "../../operations/sandbox-ports.ts";
import { endpoint } from "../endpoint.ts";
import { sandboxPath } from "../path-params.ts";

export const listSandboxPortsRoute = endpoint({
  id: "listSandboxPorts",
  method: "get",
  path: "/api/v1/sandboxes/{sandboxId}/ports",
  tag: "sandboxes",
  summary: "Ports of a sandbox on which something listens, and those that are open",
  params: sandboxPath,
  replies: { 200: { description: "The ports.", schema: sandboxPortList } },
  problems: ["sandbox_not_found", "sandbox_lost", "sandbox_unsupported", "sandbox_host_error"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await listPorts(operations, principal, params) };
  },
});
