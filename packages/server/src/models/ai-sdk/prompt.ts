import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4TextPart,
  LanguageModelV4ToolResultPart,
} from "@ai-sdk/provider";
import type { ContentPart } from "@berth/contract";
import { callIds } from "../call-ids.ts";
import type { AssistantPart, ModelMessage, ModelRequest, ModelToolResult } from "../model.ts";
import { type AttachmentPart, attachmentNote, inlineText, partsOf } from "../wire-content.ts";
import { readSignature } from "./signature.ts";

/** Whether the model can be given a URL of this media type as it is. */
export type TakesUrl = (url: string, mediaType: string) => boolean;

type UserPart = LanguageModelV4TextPart | LanguageModelV4FilePart;
type AssistantContent = Extract<LanguageModelV4Message, { role: "assistant" }>["content"];

/** A request in the words of the AI SDK's provider interface. */
export function callOptions(request: ModelRequest, takesUrl: TakesUrl): LanguageModelV4CallOptions {
  const { settings, system, tools } = request;
  const { temperature, topP, maxOutputTokens, reasoning } = settings;
  const prompt = messages(request.messages, takesUrl);
  return {
    prompt: system === "" ? prompt : [{ role: "system", content: system }, ...prompt],
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => ({ type: "function" as const, ...tool })) }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(reasoning === undefined ? {} : { reasoning }),
  };
}

function messages(all: readonly ModelMessage[], takesUrl: TakesUrl): LanguageModelV4Message[] {
  const idOf = callIds(all);
  return all.map((message): LanguageModelV4Message => {
    if (message.role === "user") {
      return { role: "user", content: message.content.map((part) => userPart(part, takesUrl)) };
    }
    if (message.role === "assistant") {
      return { role: "assistant", content: message.content.flatMap((part) => assistantPart(part, idOf)) };
    }
    return { role: "tool", content: message.results.map((result) => toolResult(result, idOf)) };
  });
}

function userPart(part: ContentPart, takesUrl: TakesUrl): UserPart {
  return part.type === "text" ? { type: "text", text: part.text } : attachment(part, takesUrl);
}

function attachment(part: AttachmentPart, takesUrl: TakesUrl): UserPart {
  const { data, mediaType, url } = part;
  const text = inlineText(part);
  if (text !== null) return { type: "text", text };
  const filename = part.type === "file" && part.name !== undefined ? { filename: part.name } : {};
  if (data !== undefined) return { type: "file", mediaType, data: { type: "data", data }, ...filename };
  if (url !== undefined && takesUrl(url, mediaType)) {
    return { type: "file", mediaType, data: { type: "url", url: new URL(url) }, ...filename };
  }
  return { type: "text", text: attachmentNote(part) };
}

function assistantPart(part: AssistantPart, idOf: (id: string) => string): AssistantContent {
  if (part.type === "text") return part.text === "" ? [] : [{ type: "text", text: part.text }];
  const providerOptions = readSignature(part.signature);
  const options = providerOptions === null ? {} : { providerOptions };
  if (part.type === "thinking") {
    return providerOptions === null ? [] : [{ type: "reasoning", text: part.text, ...options }];
  }
  const { id, name, input } = part;
  return [{ type: "tool-call", toolCallId: idOf(id), toolName: name, input: input ?? {}, ...options }];
}

function toolResult(result: ModelToolResult, idOf: (id: string) => string): LanguageModelV4ToolResultPart {
  const parts = partsOf(result.content).map((part) => userPart(part, () => false));
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  const named = { type: "tool-result" as const, toolCallId: idOf(result.id), toolName: result.name };
  if (!result.ok) return { ...named, output: { type: "error-text", value: texts.join("\n\n") } };
  if (texts.length === parts.length) return { ...named, output: { type: "text", value: texts.join("\n\n") } };
  return { ...named, output: { type: "content", value: parts } };
}
