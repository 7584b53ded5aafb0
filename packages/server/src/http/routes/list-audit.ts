import { auditEntry, auditQuery, pageOf } from "@berth/contract";
import { z } from "zod";
import { listAudit } from "../../operations/read-audit.ts";
import { auditFilter } from "../audit-filter.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";

export const listAuditRoute = endpoint({
  id: "listAudit",
  method: "get",
  path: "/api/v1/audit-log",
  tag: "audit",
  summary: "What was changed and refused in the organization, newest first",
  query: z.strictObject({ ...pageQueryOf("audit"), ...auditQuery }),
  replies: { 200: { description: "A page of entries.", schema: pageOf(auditEntry) } },
  async handle({ operations, principal, query }) {
    return { status: 200, body: await listAudit(operations, principal, auditFilter(query)) };
  },
});
