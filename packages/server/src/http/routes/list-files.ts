import { fileList } from "@berth/contract";
import { z } from "zod";
import { listFiles } from "../../operations/session-files.ts";
import { endpoint } from "../endpoint.ts";
import { filePath } from "../file-path.ts";
import { sessionPath } from "../path-params.ts";

const query = z.strictObject({
  path: filePath.default(""),
  depth: z.coerce.number().int().min(1).max(20).default(1),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
});

export const listFilesRoute = endpoint({
  id: "listFiles",
  method: "get",
  path: "/api/v1/sessions/{sessionId}/files",
  tag: "files",
  shareable: true,
  summary: "What is in a folder of the workspace",
  params: sessionPath,
  query,
  replies: { 200: { description: "Files and folders; none while there is no workspace.", schema: fileList } },
  problems: ["session_not_found", "file_not_found", "not_a_directory", "path_invalid"],
  async handle({ operations, principal, params, query: wanted }) {
    return { status: 200, body: await listFiles(operations, principal, { ...params, ...wanted }) };
  },
});
