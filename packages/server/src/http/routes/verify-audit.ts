import { auditVerdict } from "@berth/contract";
import { verifyOrgAudit } from "../../operations/read-audit.ts";
import { endpoint } from "../endpoint.ts";
import { emptyBody } from "../path-params.ts";

export const verifyAuditRoute = endpoint({
  id: "verifyAudit",
  method: "post",
  path: "/api/v1/audit-log/verify",
  tag: "audit",
  rate: "heavy",
  summary: "Says whether the audit log is what was sealed, and names the first entry that is not",
  body: emptyBody,
  bodyOptional: true,
  replies: { 200: { description: "The verdict.", schema: auditVerdict } },
  async handle({ operations, principal }) {
    return { status: 200, body: await verifyOrgAudit(operations, principal) };
  },
});
