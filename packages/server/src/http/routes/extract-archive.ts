import { extractedArchive } from "@berth/contract";
import { z } from "zod";
import { extractArchive } from "../../operations/extract-archive.ts";
import { endpoint } from "../endpoint.ts";
import { filePath } from "../file-path.ts";
import { sessionPath } from "../path-params.ts";
import { pendingReply, settledAnswer } from "../settled-answer.ts";

export const extractArchiveRoute = endpoint({
  id: "extractArchive",
  method: "put",
  path: "/api/v1/sessions/{sessionId}/workspace/archive",
  tag: "files",
  rate: "heavy",
  summary: "Writes the files of a tar archive into a folder of the workspace",
  description:
    "The archive may be packed by gzip. It has at most 500 files of 32 MiB and 256 MiB together. Nothing is written when a name in it leads out of the folder. Links are made as they are, and nothing is written through one; empty folders and the executable bit are kept. Links, empty folders and the bit are not in the session's log: forks and rewinds do not have them. Special files, hard links, owners and other permissions are left out.",
  params: sessionPath,
  query: z.strictObject({ path: filePath.default("") }),
  body: z.instanceof(Uint8Array),
  upload: true,
  replies: { 200: { description: "What was written.", schema: extractedArchive }, 202: pendingReply },
  problems: [
    "session_not_found",
    "path_invalid",
    "not_a_file",
    "not_a_directory",
    "archive_invalid",
    "archive_too_large",
    "session_quarantined",
    "mailbox_full",
    "workspace_full",
  ],
  async handle({ operations, principal, params, query, body, origin }) {
    const request = { ...params, ...query, data: body, origin };
    return settledAnswer(await extractArchive({ context: operations, principal }, request));
  },
});
