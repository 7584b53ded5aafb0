import { capOutput } from "./capped-output.ts";
import { defineTool } from "./define-tool.ts";

const defaultLimit = 200;

interface Input {
  pattern: string;
  path?: string;
  glob?: string;
  ignoreCase?: boolean;
  limit?: number;
}

export const fsGrep = defineTool<Input>({
  name: "fs_grep",
  effect: "pure",
  touchesWorkspace: false,
  needsSandbox: true,
  reachesOutside: false,
  mainArgument: "path",
  timeoutMs: 30_000,
  properties: {
    pattern: {
      type: "string",
      minLength: 1,
      maxLength: 1_000,
      description: "a JavaScript regular expression",
    },
    path: { type: "string", description: "folder to search, relative to the workspace; default: all of it" },
    glob: { type: "string", maxLength: 1_000, description: "only files that match, for example *.ts" },
    ignoreCase: { type: "boolean" },
    limit: { type: "integer", minimum: 1, maximum: 10_000, description: `default ${defaultLimit}` },
  },
  required: ["pattern"],
  async run({ pattern, limit = defaultLimit, ...options }, context) {
    const files = await context.files();
    const { items, truncated } = await files.grep(pattern, { ...options, limit, signal: context.signal });
    if (items.length === 0) return { ok: true, content: "No line matches." };
    const lines = items.map(({ path, line, text }) => `${path}:${line}: ${text}`);
    if (truncated) lines.push("[there are more; use a narrower pattern, path or glob]");
    return { ok: true, ...(await capOutput(lines.join("\n"), context)) };
  },
});
