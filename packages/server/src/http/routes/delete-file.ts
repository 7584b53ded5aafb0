import { deleteFile } from "../../operations/change-files.ts";
import { endpoint } from "../endpoint.ts";
import { fileParams } from "../path-params.ts";
import { pendingReply, replayHeaders } from "../settled-answer.ts";

export const deleteFileRoute = endpoint({
  id: "deleteFile",
  method: "delete",
  path: "/api/v1/sessions/{sessionId}/files/{path}",
  tag: "files",
  summary: "Removes a file, or a folder with all that is in it",
  params: fileParams,
  replies: { 202: pendingReply, 204: { description: "It is gone." } },
  problems: ["session_not_found", "file_not_found", "path_invalid", "session_quarantined"],
  async handle({ operations, principal, params, origin }) {
    const settled = await deleteFile(operations, principal, { ...params, origin });
    const headers = replayHeaders(settled);
    if (settled.done) return { status: 204, body: null, headers };
    return { status: 202, body: { input: settled.input }, headers };
  },
});
