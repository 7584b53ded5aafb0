import { capOutput } from "./capped-output.ts";
import { defineTool, failed } from "./define-tool.ts";
import { htmlToMarkdown } from "./html-to-markdown.ts";
import { imageType } from "./image-type.ts";

const maxBytes = 5 * 1024 * 1024;
const fetchTimeoutMs = 30_000;

interface Input {
  url: string;
  raw?: boolean;
}

export const webFetch = defineTool<Input>({
  name: "web_fetch",
  effect: "pure",
  touchesWorkspace: false,
  reachesOutside: false,
  mainArgument: "url",
  timeoutMs: 60_000,
  properties: {
    url: { type: "string", minLength: 1, maxLength: 8_000, description: "an http or https address" },
    raw: { type: "boolean", description: "give HTML as it is and not as Markdown; default false" },
  },
  required: ["url"],
  async run({ url, raw = false }, context) {
    const page = await context.fetch(url, { maxBytes, timeoutMs: fetchTimeoutMs, signal: context.signal });
    const type = page.contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
    const image = imageType(page.body);
    if (image !== null && page.status < 400) {
      if (page.truncated) return failed("runtime", `The image has more than ${maxBytes} bytes.`);
      const blob = await context.putBlob(page.body, image);
      return { ok: true, content: [{ type: "image", mediaType: image, blob }] };
    }
    if (!isText(type, page.body)) {
      return failed(
        "runtime",
        `The page is of the type ${type || "unknown"}, which cannot be shown as text.`,
      );
    }
    const text = decode(page.body, page.contentType);
    const shown = isHtml(type, text) && !raw ? await htmlToMarkdown(text, context.signal) : text;
    const head = page.url === url ? "" : `[from ${page.url}]\n`;
    const tail = page.truncated ? `\n[the page was cut at ${maxBytes} bytes]` : "";
    const capped = await capOutput(head + shown + tail, context);
    if (page.status < 400) return { ok: true, ...capped };
    return failed("runtime", `The server answered with the status ${page.status}.`, {
      ...capped,
      retryable: page.status >= 500 || page.status === 429,
    });
  },
});

function isHtml(type: string, text: string): boolean {
  return (
    type === "text/html" ||
    type === "application/xhtml+xml" ||
    (type === "" && /^\s*<(!doctype html|html)/i.test(text))
  );
}

function isText(type: string, body: Uint8Array): boolean {
  if (/^text\/|[/+](json|xml|javascript|yaml|x-ndjson|xhtml\+xml|x-sh|toml)$/.test(type)) return true;
  return (type === "" || type === "application/octet-stream") && !body.subarray(0, 8_000).includes(0);
}

/** By the charset of the header, or UTF-8 when it names none that is known. */
function decode(body: Uint8Array, contentType: string): string {
  const charset = /charset="?([^\s;"]+)/i.exec(contentType)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}
