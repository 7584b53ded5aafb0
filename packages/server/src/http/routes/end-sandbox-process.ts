import { endProcess } from "../../operations/sandbox-commands.ts";
import { endpoint } from "../endpoint.ts";
import { processPath } from "../path-params.ts";

export const endSandboxProcessRoute = endpoint({
  id: "endSandboxProcess",
  method: "delete",
  path: "/api/v1/sandboxes/{sandboxId}/processes/{processId}",
  tag: "sandboxes",
  summary: "Kills a process and all that it started",
  params: processPath,
  replies: { 204: { description: "It has ended." } },
  problems: ["sandbox_not_found", "process_not_found", "sandbox_lost"],
  async handle({ operations, principal, params, origin }) {
    await endProcess(operations, principal, { ...params, origin });
    return { status: 204, body: null };
  },
});
