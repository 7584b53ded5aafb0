import { fileEntry } from "@berth/contract";
import { z } from "zod";
import { writeFile } from "../../operations/change-files.ts";
import { endpoint } from "../endpoint.ts";
import { fileParams } from "../path-params.ts";
import { pendingReply, settledAnswer } from "../settled-answer.ts";

export const uploadFileRoute = endpoint({
  id: "uploadFile",
  method: "put",
  path: "/api/v1/sessions/{sessionId}/files/{path}",
  tag: "files",
  rate: "heavy",
  summary: "Makes or replaces a file with the bytes of the body",
  params: fileParams,
  body: z.instanceof(Uint8Array),
  upload: true,
  replies: { 200: { description: "The file.", schema: fileEntry }, 202: pendingReply },
  problems: ["session_not_found", "path_invalid", "not_a_file", "session_quarantined", "disk_full"],
  async handle({ operations, principal, params, body, origin, request }) {
    const given = request.headers.get("content-type");
    const mediaType = given !== null && given.length <= 200 ? given : null;
    const change = { ...params, data: body, mediaType, origin };
    return settledAnswer(await writeFile(operations, principal, change));
  },
});
