import { exportSession } from "../../operations/export-session.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";
import { streamBody } from "../stream-body.ts";

export const exportSessionRoute = endpoint({
  id: "exportSession",
  method: "get",
  path: "/api/v1/sessions/{sessionId}/export",
  tag: "sessions",
  rate: "heavy",
  summary: "The whole log as JSON Lines",
  description: "One event a line, rewound ones included.",
  params: sessionPath,
  replies: { 200: { description: "The events.", mediaType: "application/jsonl" } },
  problems: ["session_not_found"],
  async handle({ operations, principal, params, origin, context, requestId }) {
    const lines = await exportSession(operations, principal, { ...params, origin });
    const body = streamBody(lines, { telemetry: context.telemetry, requestId });
    return {
      raw: new Response(body, {
        headers: {
          "content-type": "application/jsonl",
          "content-disposition": `attachment; filename="${params.sessionId}.jsonl"`,
        },
      }),
    };
  },
});
