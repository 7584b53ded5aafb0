import { sandbox } from "@berth/contract";
import { getSandbox } from "../../operations/sandboxes.ts";
import { endpoint } from "../endpoint.ts";
import { sandboxPath } from "../path-params.ts";

export const getSandboxRoute = endpoint({
  id: "getSandbox",
  method: "get",
  path: "/api/v1/sandboxes/{sandboxId}",
  tag: "sandboxes",
  summary: "A sandbox",
  params: sandboxPath,
  replies: { 200: { description: "The sandbox.", schema: sandbox } },
  problems: ["sandbox_not_found"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await getSandbox(operations, principal, params) };
  },
});
