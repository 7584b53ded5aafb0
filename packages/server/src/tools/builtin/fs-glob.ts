import { capOutput } from "./capped-output.ts";
import { defineTool } from "./define-tool.ts";

const defaultLimit = 500;

interface Input {
  pattern: string;
  path?: string;
  limit?: number;
}

export const fsGlob = defineTool<Input>({
  name: "fs_glob",
  effect: "pure",
  touchesWorkspace: false,
  needsSandbox: true,
  reachesOutside: false,
  mainArgument: "path",
  timeoutMs: 30_000,
  properties: {
    pattern: { type: "string", minLength: 1, maxLength: 1_000, description: "for example **/*.ts" },
    path: { type: "string", description: "folder to search, relative to the workspace; default: all of it" },
    limit: { type: "integer", minimum: 1, maximum: 10_000, description: `default ${defaultLimit}` },
  },
  required: ["pattern"],
  async run({ pattern, path = "", limit = defaultLimit }, context) {
    const files = await context.files();
    const { items, truncated } = await files.glob(pattern, { path, limit });
    if (items.length === 0) return { ok: true, content: "No file matches." };
    const more = truncated ? "\n[there are more; use a narrower pattern]" : "";
    return { ok: true, ...(await capOutput(items.join("\n") + more, context)) };
  },
});
