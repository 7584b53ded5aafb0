import { z } from "zod";
import { grepFiles } from "../../operations/session-files.ts";
import { endpoint } from "../endpoint.ts";
import { filePath } from "../file-path.ts";
import { sessionPath } from "../path-params.ts";
import { flag } from "../query.ts";

const query = z.strictObject({
  pattern: z.string().min(1).max(1_000).describe("a regular expression"),
  path: filePath.default(""),
  glob: z.string().min(1).max(1_000).optional().describe("only files whose path matches"),
  ignoreCase: flag.default(false),
  limit: z.coerce.number().int().min(1).max(10_000).default(200),
});

const match = z.strictObject({ path: z.string(), line: z.int().min(1), text: z.string() });

export const grepFilesRoute = endpoint({
  id: "grepFiles",
  method: "get",
  path: "/api/v1/sessions/{sessionId}/search/text",
  tag: "files",
  rate: "heavy",
  summary: "Lines of files that match a regular expression",
  params: sessionPath,
  query,
  replies: {
    200: {
      description: "The lines.",
      schema: z.strictObject({ items: z.array(match), truncated: z.boolean() }),
    },
  },
  problems: ["session_not_found", "file_not_found", "path_invalid", "pattern_invalid", "search_timeout"],
  async handle({ operations, principal, params, query: wanted, origin }) {
    const request = { ...params, ...wanted, signal: origin.signal };
    return { status: 200, body: await grepFiles(operations, principal, request) };
  },
});
