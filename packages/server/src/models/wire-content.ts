import type { ContentPart, ToolContent } from "@berth/contract";

export type AttachmentPart = Exclude<ContentPart, { type: "text" }>;

/** A tool's result as parts. */
export function partsOf(content: ToolContent): readonly ContentPart[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

function isTextType(mediaType: string): boolean {
  return /^text\/|^application\/(json|xml|yaml|x-yaml|toml|javascript|x-sh|sql|x-ndjson)\b|\+(json|xml)$/.test(
    mediaType,
  );
}

/** The text of an attached text file with its name around it, or null when the file is no text or its bytes are not here. */
export function inlineText(part: AttachmentPart): string | null {
  if (part.type !== "file" || part.data === undefined || !isTextType(part.mediaType)) return null;
  const text = Buffer.from(part.data, "base64").toString("utf8");
  return `<file name=${JSON.stringify(part.name ?? "file")}>\n${text}\n</file>`;
}

/** What is told to a model about an attachment that it cannot be given. */
export function attachmentNote(part: AttachmentPart): string {
  const name = part.type === "file" && part.name !== undefined ? ` ${JSON.stringify(part.name)}` : "";
  const where = part.url === undefined ? "" : ` at ${part.url}`;
  return `[attached ${part.type}${name}, ${part.mediaType}${where}: not readable for this model]`;
}

export function dataUrl(mediaType: string, data: string): string {
  return `data:${mediaType};base64,${data}`;
}
