import { downloadExport } from "../../operations/exports.ts";
import { endpoint } from "../endpoint.ts";
import { exportPath } from "../path-params.ts";
import { streamBody } from "../stream-body.ts";

export const downloadExportRoute = endpoint({
  id: "downloadExport",
  method: "get",
  path: "/api/v1/exports/{exportId}/download",
  tag: "data",
  rate: "heavy",
  summary: "The archive, for who asked for it",
  description: "For 24 hours after it was made.",
  params: exportPath,
  replies: { 200: { description: "The archive.", mediaType: "application/zip" } },
  problems: ["export_not_found", "export_not_ready"],
  async handle({ operations, principal, params, origin, context, requestId }) {
    const { size, pieces } = await downloadExport(operations, principal, { ...params, origin });
    const body = streamBody(pieces, { telemetry: context.telemetry, requestId });
    return {
      raw: new Response(body, {
        headers: {
          "content-type": "application/zip",
          "content-length": String(size),
          "content-disposition": `attachment; filename="${params.exportId}.zip"`,
        },
      }),
    };
  },
});
