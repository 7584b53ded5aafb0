import { processInputBody } from "@berth/contract";
import { feedProcess } from "../../operations/sandbox-commands.ts";
import { endpoint } from "../endpoint.ts";
import { processPath } from "../path-params.ts";

export const feedSandboxProcessRoute = endpoint({
  id: "feedSandboxProcess",
  method: "post",
  path: "/api/v1/sandboxes/{sandboxId}/processes/{processId}/input",
  tag: "sandboxes",
  repeats: true,
  summary: "Gives a process standard input",
  description: "For a process that was started with `input`. A repetition gives it again.",
  params: processPath,
  body: processInputBody,
  replies: { 204: { description: "It is handed over." } },
  problems: ["sandbox_not_found", "process_not_found", "sandbox_busy", "sandbox_lost", "sandbox_unsupported"],
  async handle({ operations, principal, params, body }) {
    await feedProcess(operations, principal, { ...params, ...body });
    return { status: 204, body: null };
  },
});
