import { defineTool, failed } from "./define-tool.ts";
import { findText, lineAt, replacePlaces, whyNotFound } from "./find-text.ts";

const contextLines = 3;
const maxShownLines = 60;

interface Input {
  path: string;
  oldText: string;
  newText: string;
  replaceAll?: boolean;
}

export const fsEdit = defineTool<Input>({
  name: "fs_edit",
  effect: "once",
  touchesWorkspace: true,
  needsSandbox: true,
  reachesOutside: false,
  mainArgument: "path",
  timeoutMs: 30_000,
  properties: {
    path: { type: "string", description: "the file, relative to the workspace" },
    oldText: {
      type: "string",
      minLength: 1,
      description: "text that is in the file, exactly as it is there",
    },
    newText: { type: "string", description: "text to put in its place" },
    replaceAll: { type: "boolean", description: "replace every occurrence; default false" },
  },
  required: ["path", "oldText", "newText"],
  async run({ path, oldText, newText, replaceAll = false }, context) {
    if (oldText === newText)
      return failed("validation", "oldText and newText are the same; nothing would change.");
    const files = await context.files();
    const text = decode(await files.read(path));
    if (text === null) return failed("runtime", `${path} is not UTF-8 text and cannot be edited.`);

    // A model writes plain line ends whatever the file has.
    const crlf = text.includes("\r\n") && !oldText.includes("\r\n");
    const wanted = crlf ? oldText.replaceAll("\n", "\r\n") : oldText;
    const replacement = crlf ? newText.replaceAll("\r\n", "\n").replaceAll("\n", "\r\n") : newText;

    const places = findText(text, wanted);
    const [first] = places;
    if (first === undefined) {
      return failed("runtime", `oldText is not in ${path}.`, { suggestions: whyNotFound(text, oldText) });
    }
    if (places.length > 1 && !replaceAll) {
      const lines = places.slice(0, 10).map((place) => lineAt(text, place));
      return failed(
        "runtime",
        `oldText is in ${path} ${places.length} times, at the lines ${lines.join(", ")}.`,
        {
          suggestions: [
            "Add lines around it to oldText until it is unique.",
            "Set replaceAll to change every occurrence.",
          ],
        },
      );
    }
    const edited = replacePlaces(text, { places, length: wanted.length, replacement });
    await files.write(path, new TextEncoder().encode(edited));
    const count = places.length === 1 ? "1 place" : `${places.length} places`;
    return {
      ok: true,
      content: `Changed ${count} in ${path}.\n${around(edited, lineAt(text, first), replacement.split("\n").length)}`,
      events: [{ type: "file.changed", data: { path, change: "written" } }],
    };
  },
});

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The changed lines with some around them, numbered. */
function around(text: string, line: number, count: number): string {
  const from = Math.max(1, line - contextLines);
  const to = line + Math.min(count, maxShownLines) - 1 + contextLines;
  const lines = text.split("\n").slice(from - 1, to);
  return lines.map((content, at) => `${String(from + at).padStart(6)}\t${content.slice(0, 500)}`).join("\n");
}
