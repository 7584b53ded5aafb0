import { fileEntry } from "@berth/contract";
import { z } from "zod";
import { moveFile } from "../../operations/change-files.ts";
import { endpoint } from "../endpoint.ts";
import { filePath } from "../file-path.ts";
import { sessionPath } from "../path-params.ts";
import { pendingReply, settledAnswer } from "../settled-answer.ts";

export const moveFileRoute = endpoint({
  id: "moveFile",
  method: "post",
  path: "/api/v1/sessions/{sessionId}/files/move",
  tag: "files",
  summary: "Moves or renames a file or a folder",
  params: sessionPath,
  body: z.strictObject({ path: filePath.min(1), to: filePath.min(1) }),
  replies: {
    200: {
      description: "What is at the new place; null when it is gone already.",
      schema: fileEntry.nullable(),
    },
    202: pendingReply,
  },
  problems: ["session_not_found", "file_not_found", "file_exists", "path_invalid", "session_quarantined"],
  async handle({ operations, principal, params, body, origin }) {
    return settledAnswer(await moveFile(operations, principal, { ...params, ...body, origin }));
  },
});
