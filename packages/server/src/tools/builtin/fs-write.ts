import { defineTool } from "./define-tool.ts";

interface Input {
  path: string;
  content: string;
}

export const fsWrite = defineTool<Input>({
  name: "fs_write",
  effect: "idempotent",
  touchesWorkspace: true,
  needsSandbox: true,
  reachesOutside: false,
  mainArgument: "path",
  timeoutMs: 30_000,
  properties: {
    path: { type: "string", description: "the file, relative to the workspace" },
    content: { type: "string", description: "the whole new content" },
  },
  required: ["path", "content"],
  async run({ path, content }, context) {
    const files = await context.files();
    const data = new TextEncoder().encode(content);
    await files.write(path, data);
    return {
      ok: true,
      content: `Wrote ${data.length} bytes to ${path}.`,
      events: [{ type: "file.changed", data: { path, change: "written" } }],
    };
  },
});
