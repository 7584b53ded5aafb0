import type { BlobRef } from "@berth/contract";
import type { ToolContext } from "../tool.ts";

/** Characters of a tool's output that the model gets. */
export const maxModelCharacters = 30_000;
/** Bytes of an output that are kept whole in the blob store. */
export const maxStoredBytes = 16 * 1024 * 1024;

export interface CappedOutput {
  readonly content: string;
  /** The whole output, when the content is cut. */
  readonly output?: BlobRef;
}

/** A text for the model: as it is, or its head and tail with the whole of it in the blob store. */
export async function capOutput(text: string, context: Pick<ToolContext, "putBlob">): Promise<CappedOutput> {
  if (text.length <= maxModelCharacters) return { content: text };
  const bytes = Buffer.from(text).subarray(0, maxStoredBytes);
  const output = await context.putBlob(bytes, "text/plain; charset=utf-8");
  return { content: cutMiddle(text, maxModelCharacters), output };
}

/** Head and tail of a text with a line between them that tells how much is missing; halves no surrogate pair. */
export function cutMiddle(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const half = Math.floor(characters / 2);
  const head = text.slice(0, half).replace(/[\ud800-\udbff]$/, "");
  const tail = text.slice(text.length - half).replace(/^[\udc00-\udfff]/, "");
  return `${head}\n[... ${text.length - head.length - tail.length} characters were cut here ...]\n${tail}`;
}
