import { imageType } from "./image-type.ts";
import { defineTool, failed } from "./define-tool.ts";
import { maxModelCharacters } from "./capped-output.ts";
import type { ToolContext, ToolOutcome } from "../tool.ts";

const defaultLines = 2_000;
const maxLineCharacters = 2_000;
const maxImageBytes = 5 * 1024 * 1024;
/** Bytes at a file's start in which a NUL makes it binary, as grep and git do. */
const binaryProbe = 8_000;

interface Input {
  path: string;
  offset?: number;
  limit?: number;
}

export const fsRead = defineTool<Input>({
  name: "fs_read",
  effect: "pure",
  touchesWorkspace: false,
  needsSandbox: true,
  reachesOutside: false,
  mainArgument: "path",
  timeoutMs: 30_000,
  properties: {
    path: { type: "string", description: "the file, relative to the workspace" },
    offset: { type: "integer", minimum: 1, description: "number of the first line to read; default 1" },
    limit: {
      type: "integer",
      minimum: 1,
      maximum: 100_000,
      description: `how many lines; default ${defaultLines}`,
    },
  },
  required: ["path"],
  async run({ path, offset = 1, limit = defaultLines }, context) {
    const files = await context.files();
    const bytes = await files.read(path);
    const image = imageType(bytes);
    if (image !== null) return await readImage({ path, bytes, mediaType: image }, context);
    if (bytes.subarray(0, binaryProbe).includes(0)) {
      return failed(
        "runtime",
        `${path} is a binary file of ${bytes.length} bytes and cannot be shown as text.`,
      );
    }
    const text = new TextDecoder().decode(bytes);
    return text === "" ? { ok: true, content: `${path} is empty.` } : numbered({ path, text, offset, limit });
  },
});

async function readImage(
  { path, bytes, mediaType }: { path: string; bytes: Uint8Array; mediaType: string },
  context: ToolContext,
): Promise<ToolOutcome> {
  if (bytes.length > maxImageBytes) {
    return failed(
      "runtime",
      `${path} is an image of ${bytes.length} bytes; at most ${maxImageBytes} can be shown.`,
    );
  }
  const blob = await context.putBlob(bytes, mediaType);
  return { ok: true, content: [{ type: "image", mediaType, blob }] };
}

/** Lines with their numbers, as many as are asked for and fit; tells how to go on when there are more. */
function numbered({
  path,
  text,
  offset,
  limit,
}: {
  path: string;
  text: string;
  offset: number;
  limit: number;
}): ToolOutcome {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (offset > lines.length) {
    return failed("validation", `${path} has ${lines.length} lines; offset ${offset} is behind its end.`);
  }
  const shown: string[] = [];
  let characters = 0;
  for (const [at, line] of lines.slice(offset - 1, offset - 1 + limit).entries()) {
    const cut = line.length > maxLineCharacters ? `${line.slice(0, maxLineCharacters)} [line cut]` : line;
    const row = `${String(offset + at).padStart(6)}\t${cut}`;
    characters += row.length + 1;
    if (characters > maxModelCharacters && shown.length > 0) break;
    shown.push(row);
  }
  const next = offset + shown.length;
  if (next <= lines.length) {
    shown.push(`[lines ${offset} to ${next - 1} of ${lines.length}; read on with offset ${next}]`);
  }
  return { ok: true, content: shown.join("\n") };
}
