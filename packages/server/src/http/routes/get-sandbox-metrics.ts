import { sandboxMetrics } from "@berth/contract";
import { measureSandbox } from "../../operations/sandboxes.ts";
import { endpoint } from "../endpoint.ts";
import { sandboxPath } from "../path-params.ts";

export const getSandboxMetricsRoute = endpoint({
  id: "getSandboxMetrics",
  method: "get",
  path: "/api/v1/sandboxes/{sandboxId}/metrics",
  tag: "sandboxes",
  summary: "What a sandbox uses now",
  description: "To ask is no use of it: it becomes idle all the same.",
  params: sandboxPath,
  replies: { 200: { description: "The figures.", schema: sandboxMetrics } },
  problems: ["sandbox_not_found", "sandbox_lost", "sandbox_host_error"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await measureSandbox(operations, principal, params) };
  },
});
