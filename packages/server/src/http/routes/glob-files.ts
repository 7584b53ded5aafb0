import { z } from "zod";
import { globFiles } from "../../operations/session-files.ts";
import { endpoint } from "../endpoint.ts";
import { filePath } from "../file-path.ts";
import { sessionPath } from "../path-params.ts";

const query = z.strictObject({
  pattern: z.string().min(1).max(1_000).describe("for example **/*.ts"),
  path: filePath.default(""),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
});

export const globFilesRoute = endpoint({
  id: "globFiles",
  method: "get",
  path: "/api/v1/sessions/{sessionId}/search/files",
  tag: "files",
  rate: "heavy",
  summary: "Files whose path matches a pattern",
  params: sessionPath,
  query,
  replies: {
    200: {
      description: "Their paths.",
      schema: z.strictObject({ items: z.array(z.string()), truncated: z.boolean() }),
    },
  },
  problems: ["session_not_found", "file_not_found", "path_invalid", "pattern_invalid"],
  async handle({ operations, principal, params, query: wanted }) {
    return { status: 200, body: await globFiles(operations, principal, { ...params, ...wanted }) };
  },
});
