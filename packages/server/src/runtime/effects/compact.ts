import type { Usage } from "@berth/contract";
import type { ModelClient, ModelMessage } from "../../models/model.ts";
import { type CompactionPlan, contextTokens, stubPlan, tokensAfter } from "../../session/context-window.ts";
import type { NewEvent } from "../../session/new-event.ts";
import { textTokens } from "../../session/size.ts";
import { type NamespaceState, noUsage } from "../../session/state.ts";
import { AppendList } from "../../lib/append-list.ts";
import type { Blobs } from "../../store/blobs.ts";
import { messagesOf } from "../prompt.ts";

export interface CompactJob {
  readonly models: ModelClient;
  readonly blobs: Blobs;
  readonly orgId: string;
  readonly at: NamespaceState;
  readonly plan: CompactionPlan;
  readonly signal: AbortSignal;
}

const system = [
  "You write the summary that replaces the older part of a conversation between a user and an agent.",
  "Keep what is needed to go on: the user's goals and constraints, decisions and their reasons, names, paths, ids and figures,",
  "what was done with which result, what failed, and what is still open. Leave out pleasantries. Write at most 800 words.",
].join(" ");

/** What a summary used, when its provider told. */
export interface Summarized {
  readonly usage: Usage;
  /** US dollars. */
  readonly cost: number | null;
  readonly ok: boolean;
}

/** Null without a model call, and when nobody told what it used. */
interface Compaction {
  readonly event: NewEvent<"context.compacted"> | null;
  readonly spent: Summarized | null;
}

/**
 * Makes room in a context: by a summary that a model writes, or, if that fails, by shortening old tool outputs. Without an event nothing
 * can be saved.
 */
export async function compact(job: CompactJob): Promise<Compaction> {
  const { at, plan, models } = job;
  let spent: Summarized | null = null;
  if (plan.method === "summary") {
    const { text, usage } = await summarize(job);
    const cost = usage === null ? null : models.cost(at.model, usage);
    spent = usage === null ? null : { usage, cost, ok: text !== null };
    if (text !== null) {
      const after = tokensAfter(at, plan, textTokens(text));
      const data = {
        method: "summary" as const,
        summary: text,
        keptFromSeq: plan.keptFromSeq,
        usage: usage ?? noUsage,
        cost,
      };
      const event = compacted(at, { ...data, tokensBefore: contextTokens(at), tokensAfter: after });
      return { event, spent };
    }
  }
  const fallback = plan.method === "stub" ? plan : stubPlan(at);
  if (fallback === null) return { event: null, spent };
  const after = tokensAfter(at, fallback, 0);
  const event = compacted(at, { ...fallback, tokensBefore: contextTokens(at), tokensAfter: after });
  return { event, spent };
}

function compacted(
  at: NamespaceState,
  data: NewEvent<"context.compacted">["data"],
): NewEvent<"context.compacted"> {
  return { type: "context.compacted", namespace: at.name, data };
}

/** Output tokens of a summary at most. */
export const maxSummaryTokens = 2_000;

async function summarize(job: CompactJob): Promise<{ text: string | null; usage: Usage | null }> {
  const { models, at, plan, blobs, orgId, signal } = job;
  const older = AppendList.from([...at.items].filter((item) => item.seq < plan.keptFromSeq));
  const messages = await messagesOf({ ...at, items: older }, blobs, orgId);
  const text = messages.map(transcribe).join("\n\n");
  const ask: ModelMessage = {
    role: "user",
    content: [{ type: "text", text: `Summarize this conversation:\n\n${text}` }],
  };
  const request = { system, messages: [ask], tools: [], settings: { maxOutputTokens: maxSummaryTokens } };
  let written = "";
  let usage: Usage | null = null;
  for await (const parts of models.stream({ models: [at.model], request }, signal)) {
    for (const part of parts) {
      if (part.type === "text") written += part.text;
      else if (part.type === "retry" || part.type === "fallback") written = "";
      else if (part.type === "usage") usage = part.usage;
      else if (part.type === "error") return { text: null, usage };
    }
  }
  return { text: written.trim() === "" ? null : written.trim(), usage };
}

/** A message as plain text; long tool outputs lose their middle, because the summary needs only their gist. */
function transcribe(message: ModelMessage): string {
  switch (message.role) {
    case "user":
      return `USER: ${message.content.map((part) => (part.type === "text" ? part.text : `[${part.type}]`)).join("\n")}`;
    case "assistant":
      return message.content
        .map((part) =>
          part.type === "tool_call"
            ? `AGENT CALLS ${part.name}: ${shorten(JSON.stringify(part.input))}`
            : `AGENT: ${part.text}`,
        )
        .join("\n");
    case "tool":
      return message.results
        .map(
          (result) =>
            `RESULT OF ${result.name}: ${shorten(typeof result.content === "string" ? result.content : "[parts]")}`,
        )
        .join("\n");
  }
}

function shorten(text: string): string {
  const most = 4_000;
  return text.length <= most ? text : `${text.slice(0, most / 2)}\n[...]\n${text.slice(-most / 2)}`;
}
