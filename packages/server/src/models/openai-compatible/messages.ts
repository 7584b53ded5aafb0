import type { ContentPart } from "@berth/contract";
import { callIds } from "../call-ids.ts";
import type { AssistantPart, ModelMessage, ModelToolResult } from "../model.ts";
import { type AttachmentPart, attachmentNote, dataUrl, inlineText, partsOf } from "../wire-content.ts";

export interface WireMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string | readonly WirePart[] | null;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly WireToolCall[];
  readonly tool_call_id?: string;
}

interface WireToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

type WirePart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image_url"; readonly image_url: { readonly url: string } }
  | { readonly type: "file"; readonly file: { readonly filename: string; readonly file_data: string } }
  | {
      readonly type: "input_audio";
      readonly input_audio: { readonly data: string; readonly format: string };
    };

export interface MessageOptions {
  /** Send back the reasoning of the turn that is going on, as DeepSeek, Kimi and GLM want it between tool calls. */
  readonly reasoning: boolean;
}

/** A conversation in the form of chat completions. */
export function wireMessages(
  system: string,
  messages: readonly ModelMessage[],
  options: MessageOptions,
): readonly WireMessage[] {
  const idOf = callIds(messages);
  const turn = messages.findLastIndex((message) => message.role === "user");
  const wire: WireMessage[] = system === "" ? [] : [{ role: "system", content: system }];
  for (const [index, message] of messages.entries()) {
    if (message.role === "user") wire.push({ role: "user", content: content(message.content) });
    else if (message.role === "assistant")
      wire.push(assistant(message.content, idOf, options.reasoning && index > turn));
    else wire.push(...toolResults(message.results, idOf));
  }
  return wire;
}

/** One text stays a plain string: not every server takes parts. */
function content(parts: readonly ContentPart[]): string | readonly WirePart[] {
  const wire = parts.map(wirePart);
  const texts = wire.flatMap((part) => (part.type === "text" ? [part.text] : []));
  return texts.length === wire.length ? texts.join("\n\n") : wire;
}

function wirePart(part: ContentPart): WirePart {
  return part.type === "text" ? { type: "text", text: part.text } : attachment(part);
}

function attachment(part: AttachmentPart): WirePart {
  const { data, mediaType, url } = part;
  if (part.type === "image") {
    if (data !== undefined) return { type: "image_url", image_url: { url: dataUrl(mediaType, data) } };
    return url === undefined
      ? { type: "text", text: attachmentNote(part) }
      : { type: "image_url", image_url: { url } };
  }
  const text = inlineText(part);
  if (text !== null) return { type: "text", text };
  if (data !== undefined && mediaType === "application/pdf") {
    return { type: "file", file: { filename: part.name ?? "file.pdf", file_data: dataUrl(mediaType, data) } };
  }
  const audio = /^audio\/(?:x-)?(wav|mp3|mpeg)$/.exec(mediaType)?.[1];
  if (data !== undefined && audio !== undefined) {
    return { type: "input_audio", input_audio: { data, format: audio === "wav" ? "wav" : "mp3" } };
  }
  return { type: "text", text: attachmentNote(part) };
}

function assistant(
  parts: readonly AssistantPart[],
  idOf: (id: string) => string,
  withReasoning: boolean,
): WireMessage {
  const texts: string[] = [];
  const thoughts: string[] = [];
  const calls: WireToolCall[] = [];
  for (const part of parts) {
    if (part.type === "text") texts.push(part.text);
    else if (part.type === "thinking") thoughts.push(part.text);
    else calls.push(toolCall(part, idOf));
  }
  const reasoning = withReasoning ? thoughts.join("") : "";
  return {
    role: "assistant",
    content: texts.length === 0 && calls.length > 0 ? null : texts.join(""),
    ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function toolCall(
  part: Extract<AssistantPart, { type: "tool_call" }>,
  idOf: (id: string) => string,
): WireToolCall {
  return {
    id: idOf(part.id),
    type: "function",
    function: { name: part.name, arguments: JSON.stringify(part.input ?? {}) },
  };
}

/** Tool messages carry text only; what else the tools gave follows them in a message of the user. */
function toolResults(
  results: readonly ModelToolResult[],
  idOf: (id: string) => string,
): readonly WireMessage[] {
  const wire: WireMessage[] = [];
  const attached: WirePart[] = [];
  for (const result of results) {
    const id = idOf(result.id);
    const texts: string[] = [];
    for (const part of partsOf(result.content)) {
      const made = wirePart(part);
      if (made.type === "text") texts.push(made.text);
      else attached.push({ type: "text", text: `From the result of ${result.name} (${id}):` }, made);
    }
    if (texts.length === 0) texts.push(attached.length > 0 ? "The result follows in the next message." : "");
    const text = texts.join("\n\n");
    wire.push({ role: "tool", tool_call_id: id, content: text });
  }
  return attached.length === 0 ? wire : [...wire, { role: "user", content: attached }];
}
