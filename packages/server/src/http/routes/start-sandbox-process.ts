import { sandboxProcess, startProcessBody } from "@berth/contract";
import { startProcess } from "../../operations/sandbox-commands.ts";
import { endpoint } from "../endpoint.ts";
import { sandboxPath } from "../path-params.ts";
import { defined } from "../query.ts";

export const startSandboxProcessRoute = endpoint({
  id: "startSandboxProcess",
  method: "post",
  path: "/api/v1/sandboxes/{sandboxId}/processes",
  tag: "sandboxes",
  repeats: true,
  summary: "Starts a process that goes on after the request",
  description:
    "It ends with the sandbox, and does not count as use of it: one that nobody follows is ended when the sandbox is idle. A repetition starts another.",
  params: sandboxPath,
  body: startProcessBody,
  replies: { 201: { description: "The process.", schema: sandboxProcess } },
  problems: [
    ...(["sandbox_not_found", "too_many_processes", "sandbox_lost", "sandbox_unsupported"] as const),
    ...(["sandbox_secret_not_found", "sandbox_secret_host"] as const),
    ...(["path_invalid", "not_a_directory", "sandbox_host_error"] as const),
  ],
  async handle({ operations, principal, params, body, origin }) {
    const made = await startProcess(operations, principal, { ...params, spec: defined(body), origin });
    return { status: 201, body: made };
  },
});
