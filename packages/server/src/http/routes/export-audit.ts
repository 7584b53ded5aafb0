import { auditQuery } from "@berth/contract";
import { z } from "zod";
import { exportAudit } from "../../operations/read-audit.ts";
import { auditFilter } from "../audit-filter.ts";
import { endpoint } from "../endpoint.ts";
import { streamBody } from "../stream-body.ts";

export const exportAuditRoute = endpoint({
  id: "exportAudit",
  method: "get",
  path: "/api/v1/audit-log/export",
  tag: "audit",
  rate: "heavy",
  summary: "The audit log as JSON Lines, oldest first",
  description: "One entry a line. The export is an entry itself, which is the last one that can be in it.",
  query: z.strictObject(auditQuery),
  replies: { 200: { description: "The entries.", mediaType: "application/jsonl" } },
  async handle({ operations, principal, query, origin, context, requestId }) {
    const lines = await exportAudit(operations, principal, { filter: auditFilter(query), origin });
    const body = streamBody(lines, { telemetry: context.telemetry, requestId });
    return {
      raw: new Response(body, {
        headers: {
          "content-type": "application/jsonl",
          "content-disposition": `attachment; filename="audit-${principal.orgId}.jsonl"`,
        },
      }),
    };
  },
});
