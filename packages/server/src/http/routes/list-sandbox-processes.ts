import { sandboxProcessList } from "@berth/contract";
import { listProcesses } from "../../operations/sandbox-commands.ts";
import { endpoint } from "../endpoint.ts";
import { sandboxPath } from "../path-params.ts";

export const listSandboxProcessesRoute = endpoint({
  id: "listSandboxProcesses",
  method: "get",
  path: "/api/v1/sandboxes/{sandboxId}/processes",
  tag: "sandboxes",
  summary: "Background processes of a sandbox, newest first",
  description: "The newest 200, those that have ended too.",
  params: sandboxPath,
  replies: { 200: { description: "The processes.", schema: sandboxProcessList } },
  problems: ["sandbox_not_found", "sandbox_lost", "sandbox_host_error"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await listProcesses(operations, principal, params) };
  },
});
