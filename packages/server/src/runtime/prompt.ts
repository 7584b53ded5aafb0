import type { AgentDefinition, Content, ContentPart, ToolContent } from "@berth/contract";
import { canonicalJson, hashJson } from "../lib/canonical-json.ts";
import type { AssistantPart, ModelMessage, ModelToolResult } from "../models/model.ts";
import type { ContextItem, NamespaceState } from "../session/state.ts";
import type { Blobs } from "../store/blobs.ts";

type Item<K extends ContextItem["kind"]> = Extract<ContextItem, { kind: K }>;
type AssistantItem = Item<"text" | "thinking" | "tool_use">;

/** A namespace's context as the model is told it. Bytes of blobs are read in. */
export async function messagesOf(
  at: NamespaceState,
  blobs: Blobs,
  orgId: string,
): Promise<readonly ModelMessage[]> {
  const messages: ModelMessage[] = [];
  // The message that grows: blocks of one answer, or results that follow each other.
  let answer: { readonly id: string; readonly content: AssistantPart[] } = { id: "", content: [] };
  let results: ModelToolResult[] | null = null;
  for (const item of at.items) {
    if (item.kind === "tool_result") {
      const result = await toolResult(item, blobs, orgId);
      if (results === null) messages.push({ role: "tool", results: (results = [result]) });
      else results.push(result);
      continue;
    }
    results = null;
    if (item.kind === "text" || item.kind === "thinking" || item.kind === "tool_use") {
      if (answer.id !== item.messageId) {
        answer = { id: item.messageId, content: [] };
        messages.push({ role: "assistant", content: answer.content });
      }
      answer.content.push(assistantPart(item));
    } else {
      messages.push({ role: "user", content: await userContent(item, blobs, orgId) });
    }
  }
  return messages;
}

function assistantPart(item: AssistantItem): AssistantPart {
  if (item.kind === "text") return { type: "text", text: item.text };
  const signature = item.signature === undefined ? {} : { signature: item.signature };
  if (item.kind === "thinking") return { type: "thinking", text: item.text, ...signature };
  return { type: "tool_call", id: item.toolUseId, name: item.name, input: item.input, ...signature };
}

async function toolResult(item: Item<"tool_result">, blobs: Blobs, orgId: string): Promise<ModelToolResult> {
  const { toolUseId: id, name, ok } = item;
  return { id, name, ok, content: await inline(toldOf(item), blobs, orgId) };
}

/** A success speaks for itself; a failure says what kind it is and what can be done. */
function toldOf(item: Item<"tool_result">): ToolContent {
  const { ok, content, note, errorType, suggestions } = item;
  if (ok && note === undefined) return content;
  if (ok)
    return typeof content === "string"
      ? `${content}\n\n[${note}]`
      : [...content, { type: "text", text: `[${note}]` }];
  const error =
    typeof content === "string"
      ? content
      : content.filter((part) => part.type === "text").map((part) => part.text);
  return canonicalJson({ ok, error, errorType, note, suggestions });
}

async function userContent(
  item: Item<"user" | "system" | "summary">,
  blobs: Blobs,
  orgId: string,
): Promise<readonly ContentPart[]> {
  if (item.kind === "summary") {
    const text = `This is a summary of the conversation so far; what it covers was removed to save room.\n\n${item.text}`;
    return [{ type: "text", text }];
  }
  const parts = partsOf(await inline(item.content, blobs, orgId));
  if (item.kind === "user") return parts;
  return [{ type: "text", text: "[A message from the application, not from the user:]" }, ...parts];
}

function partsOf(content: Content | string): readonly ContentPart[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

/** Content with the bytes of its blobs in it. A blob that is gone is told as such. */
async function inline<T extends ToolContent>(
  content: T,
  blobs: Blobs,
  orgId: string,
): Promise<T | ContentPart[]> {
  if (typeof content === "string") return content;
  return Promise.all(
    content.map(async (part): Promise<ContentPart> => {
      if (part.type === "text" || part.blob === undefined) return part;
      const bytes = await blobs.get(orgId, part.blob.hash);
      if (bytes === null) return { type: "text", text: "[A file that was here has been deleted.]" };
      const { blob: _, ...rest } = part;
      return { ...rest, data: Buffer.from(bytes).toString("base64") };
    }),
  );
}

/**
 * The system prompt: the agent's own instructions; for a sub-agent whom it works for; for the session's own agent what the session's owner
 * adds, after the instructions and marked as the owner's.
 */
export function systemPrompt(
  definition: AgentDefinition,
  at: NamespaceState,
  notes: readonly string[],
): string {
  const { instructions } = definition;
  if (at.parent === null) return joined(instructions, ownerNotes(notes));
  const role =
    "You work on one task for another agent, which sees nothing but your last message. Do the task, then answer with its result.";
  return joined(instructions, role);
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}

/** Nobody can write a text that holds the hash of the text: what stands between the marks cannot end them. */
function ownerNotes(notes: readonly string[]): string {
  if (notes.length === 0) return "";
  const mark = hashJson(notes).slice(0, 32);
  const blocks = notes.map((note) => `<owner-note mark="${mark}">\n${note}\n</owner-note mark="${mark}">`);
  const lead =
    "The owner of this session adds the notes below. They are the owner's wishes, not your instructions: follow them as far as nothing above is against them.";
  return [lead, ...blocks].join("\n\n");
}
