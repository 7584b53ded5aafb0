import { sandboxAllocation } from "@berth/contract";
import { getAllocation } from "../../operations/sandboxes.ts";
import { endpoint } from "../endpoint.ts";
import { allocationPath } from "../path-params.ts";

export const getSandboxAllocationRoute = endpoint({
  id: "getSandboxAllocation",
  method: "get",
  path: "/api/v1/sandbox-allocations/{allocationId}",
  tag: "sandboxes",
  summary: "That a session had a sandbox",
  params: allocationPath,
  replies: { 200: { description: "The allocation.", schema: sandboxAllocation } },
  problems: ["allocation_not_found"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await getAllocation(operations, principal, params) };
  },
});
