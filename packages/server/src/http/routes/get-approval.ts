import { approval } from "@berth/contract";
import { getApproval } from "../../operations/list-approvals.ts";
import { endpoint } from "../endpoint.ts";
import { approvalPath } from "../path-params.ts";

export const getApprovalRoute = endpoint({
  id: "getApproval",
  method: "get",
  path: "/api/v1/approvals/{approvalId}",
  tag: "approvals",
  summary: "One approval, with the arguments that it is about",
  params: approvalPath,
  replies: { 200: { description: "The approval.", schema: approval } },
  problems: ["approval_not_found"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await getApproval(operations, principal, params) };
  },
});
