import { downloadFile } from "../../operations/session-files.ts";
import { endpoint } from "../endpoint.ts";
import { encodeFileName } from "../encode-file-name.ts";
import { fileParams } from "../path-params.ts";
import { streamBody } from "../stream-body.ts";

export const downloadFileRoute = endpoint({
  id: "downloadFile",
  method: "get",
  path: "/api/v1/sessions/{sessionId}/files/{path}",
  tag: "files",
  shareable: true,
  summary: "The bytes of a file",
  params: fileParams,
  replies: { 200: { description: "The bytes.", mediaType: "application/octet-stream" } },
  problems: ["session_not_found", "file_not_found", "not_a_file", "path_invalid"],
  async handle({ operations, principal, params, context, requestId }) {
    const { size, name, pieces } = await downloadFile(operations, principal, { ...params });
    const body = streamBody(pieces, { telemetry: context.telemetry, requestId });
    return {
      raw: new Response(body, {
        headers: {
          "content-type": "application/octet-stream",
          "content-length": String(size),
          "content-disposition": `attachment; filename*=UTF-8''${encodeFileName(name)}`,
        },
      }),
    };
  },
});
