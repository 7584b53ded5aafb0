import { approval, approvalStatus, idSchema, pageOf } from "@berth/contract";
import { z } from "zod";
import { listApprovals } from "../../operations/list-approvals.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined } from "../query.ts";

const query = z.strictObject({
  ...pageQueryOf("approval"),
  sessionId: idSchema("session").optional(),
  status: approvalStatus.optional(),
});

export const listApprovalsRoute = endpoint({
  id: "listApprovals",
  method: "get",
  path: "/api/v1/approvals",
  tag: "approvals",
  summary: "Approvals, newest first",
  query,
  replies: { 200: { description: "A page of them.", schema: pageOf(approval) } },
  async handle({ operations, principal, query: filter }) {
    return { status: 200, body: await listApprovals(operations, principal, defined(filter)) };
  },
});
