import { Worker } from "node:worker_threads";
import { plainText, withoutInvisible } from "./plain-text.ts";

/**
 * The converter's time grows with the square of the page (0.1 s for 50 KB, 0.6 s for 200 KB, 18 s for 500 KB of paragraphs
 * on 2 cores) and with the depth of its nesting, so it works in a thread and on pages up to this size.
 */
const maxConverted = 300_000;
const maxConversionMs = 4_000;

/** The text of a page as Markdown; as plain text when it is too large or too deep to be converted in time. */
export async function htmlToMarkdown(html: string, signal: AbortSignal): Promise<string> {
  const visible = withoutInvisible(html);
  if (visible.length > maxConverted) return plainText(visible);
  return (await convert(visible, signal)) ?? plainText(visible);
}

async function convert(html: string, signal: AbortSignal): Promise<string | null> {
  const thread = new Worker(new URL("./html-to-markdown-worker.ts", import.meta.url), {
    workerData: html,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  const stop = () => void thread.terminate();
  const timer = setTimeout(stop, maxConversionMs);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise<string | null>((resolve) => {
      thread.once("message", (markdown: string | null) => resolve(markdown));
      thread.once("error", () => resolve(null));
      thread.once("exit", () => resolve(null));
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    await thread.terminate();
  }
}
