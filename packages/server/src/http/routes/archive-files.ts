import { z } from "zod";
import { archiveFiles } from "../../operations/archive-files.ts";
import { encodeFileName } from "../encode-file-name.ts";
import { endpoint } from "../endpoint.ts";
import { filePath } from "../file-path.ts";
import { sessionPath } from "../path-params.ts";
import { streamBody } from "../stream-body.ts";

export const archiveFilesRoute = endpoint({
  id: "archiveFiles",
  method: "get",
  path: "/api/v1/sessions/{sessionId}/workspace/archive",
  tag: "files",
  rate: "heavy",
  shareable: true,
  summary: "A folder of the workspace as a tar archive packed by gzip",
  description:
    "Paths are relative to the folder. Links and special files are left out. The connection is cut when a file becomes shorter while it is read.",
  params: sessionPath,
  query: z.strictObject({ path: filePath.default("") }),
  replies: { 200: { description: "The archive.", mediaType: "application/gzip" } },
  problems: ["session_not_found", "file_not_found", "not_a_directory", "path_invalid", "archive_too_large"],
  async handle({ operations, principal, params, query, context, requestId }) {
    const request = { ...params, ...query };
    const { name, pieces } = await archiveFiles({ context: operations, principal }, request);
    const body = streamBody(pieces, { telemetry: context.telemetry, requestId });
    const disposition = `attachment; filename*=UTF-8''${encodeFileName(name)}`;
    return {
      raw: new Response(body, {
        headers: { "content-type": "application/gzip", "content-disposition": disposition },
      }),
    };
  },
});
