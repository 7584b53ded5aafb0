import { approval, decideBody } from "@berth/contract";
import { decideApproval } from "../../operations/decide-approval.ts";
import { endpoint } from "../endpoint.ts";
import { approvalPath } from "../path-params.ts";
import { pendingReply, settledAnswer } from "../settled-answer.ts";

export const decideApprovalRoute = endpoint({
  id: "decideApproval",
  method: "post",
  path: "/api/v1/approvals/{approvalId}",
  tag: "approvals",
  summary: "Allows, denies or edits a tool call",
  description:
    "The first decision wins; `details.approval` of the conflict that a later one gets is the winner.",
  params: approvalPath,
  body: decideBody,
  replies: { 200: { description: "The approval as it is now.", schema: approval }, 202: pendingReply },
  problems: ["approval_not_found", "already_decided", "four_eyes", "session_quarantined"],
  async handle({ operations, principal, params, body, origin }) {
    return settledAnswer(await decideApproval(operations, principal, { ...params, body, origin }));
  },
});
