import type { ContentPart } from "@berth/contract";
import { callIds } from "../call-ids.ts";
import type { AssistantPart, ModelMessage, ModelToolResult } from "../model.ts";
import { type AttachmentPart, attachmentNote, inlineText, partsOf } from "../wire-content.ts";
import { readSignature } from "./signature.ts";

export interface WireMessage {
  readonly role: "user" | "assistant";
  readonly content: WireBlock[];
}

export type WireBlock = {
  readonly type: string;
  readonly cache_control?: { readonly type: "ephemeral" };
} & Readonly<Record<string, unknown>>;

const imageTypes: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

/**
 * A conversation in the form of the messages API: neighbours of one role are one message, tool results lead the message
 * that answers a call, and thinking goes back only with Anthropic's own signature.
 */
export function wireMessages(messages: readonly ModelMessage[]): WireMessage[] {
  const idOf = callIds(messages);
  const wire: WireMessage[] = [];
  const add = (role: WireMessage["role"], blocks: readonly WireBlock[]) => {
    if (blocks.length === 0) return;
    const last = wire.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else wire.push({ role, content: [...blocks] });
  };
  for (const message of messages) {
    if (message.role === "user") add("user", message.content.flatMap(contentBlock));
    else if (message.role === "assistant")
      add(
        "assistant",
        message.content.flatMap((part) => assistantBlock(part, idOf)),
      );
    else
      add(
        "user",
        message.results.map((result) => toolResult(result, idOf)),
      );
  }
  if (wire[0]?.role !== "user")
    wire.unshift({ role: "user", content: [{ type: "text", text: "(The conversation goes on.)" }] });
  return wire;
}

/** Blocks without a visible character are refused, so they are left out. */
function textBlock(text: string): readonly WireBlock[] {
  return text.trim() === "" ? [] : [{ type: "text", text }];
}

function contentBlock(part: ContentPart): readonly WireBlock[] {
  return part.type === "text" ? textBlock(part.text) : [attachment(part)];
}

function attachment(part: AttachmentPart): WireBlock {
  const { data, mediaType, url } = part;
  const source =
    data !== undefined
      ? { type: "base64", media_type: mediaType, data }
      : url !== undefined
        ? { type: "url", url }
        : null;
  if (source !== null && part.type === "image" && imageTypes.has(mediaType)) return { type: "image", source };
  if (source !== null && part.type === "file" && mediaType === "application/pdf") {
    return { type: "document", source, ...(part.name === undefined ? {} : { title: part.name }) };
  }
  return { type: "text", text: inlineText(part) ?? attachmentNote(part) };
}

function assistantBlock(part: AssistantPart, idOf: (id: string) => string): readonly WireBlock[] {
  if (part.type === "text") return textBlock(part.text);
  if (part.type === "tool_call")
    return [{ type: "tool_use", id: idOf(part.id), name: part.name, input: objectOf(part.input) }];
  const signature = readSignature(part.signature);
  if (signature === null) return [];
  if (signature.redacted) return [{ type: "redacted_thinking", data: signature.value }];
  return [{ type: "thinking", thinking: part.text, signature: signature.value }];
}

/** The API takes objects only; what a model wrote as something else is kept inside one. */
function objectOf(input: unknown): object {
  if (typeof input === "object" && input !== null && !Array.isArray(input)) return input;
  return input === undefined || input === null ? {} : { input };
}

function toolResult(result: ModelToolResult, idOf: (id: string) => string): WireBlock {
  const content = partsOf(result.content).flatMap(contentBlock);
  return {
    type: "tool_result",
    tool_use_id: idOf(result.id),
    ...(content.length === 0 ? {} : { content }),
    ...(result.ok ? {} : { is_error: true }),
  };
}
