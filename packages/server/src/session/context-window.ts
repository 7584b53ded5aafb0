import type { SessionEvent } from "@berth/contract";
import { AppendList } from "../lib/append-list.ts";
import { itemTokens } from "./size.ts";
import type { ContextItem, NamespaceState } from "./state.ts";

/** Above this share of the model's window the context is compacted, down to the second. */
const fullShare = 0.8;
const keptShare = 0.5;

/** What stands in place of an old tool output. */
const stub = "[This output was removed to save room. Run the tool again if it is needed.]";
/** Outputs of fewer tokens than this stay. */
const stubFromTokens = 50;

/** Estimated tokens of a namespace's context: what the provider reported, and an estimate of what came after. */
export function contextTokens(at: NamespaceState): number {
  return at.tokens.reported + at.tokens.since;
}

export type CompactionPlan = {
  /** `summary` replaces everything before keptFromSeq by a summary; `stub` shortens tool outputs before it. */
  readonly method: "summary" | "stub";
  readonly keptFromSeq: number;
};

/** What to compact now; null while there is room, or when nothing more can be saved. */
export function planCompaction(at: NamespaceState, window: number): CompactionPlan | null {
  if (contextTokens(at) <= fullShare * window) return null;
  return forcedCompaction(at, window);
}

/** The same when the provider itself said that the context is too long, whatever was estimated. */
export function forcedCompaction(at: NamespaceState, window: number): CompactionPlan | null {
  const items = [...at.items];
  const estimated = items.reduce((sum, item) => sum + itemTokens(item), 0);
  const correction = Math.max(1, contextTokens(at) / Math.max(1, estimated));
  const room = Math.min((keptShare * window) / correction, estimated / 2);
  const cut = findCut(items, room);
  if (cut !== null) return { method: "summary", keptFromSeq: cut };
  return stubPlan(at);
}

/** Shortening the tool outputs of all but the newest message; null when none is long. */
export function stubPlan(at: NamespaceState): CompactionPlan | null {
  const last = at.items.last();
  if (last === undefined) return null;
  const long = [...at.items].some((item) => item.seq < last.seq && isLongOutput(item));
  return long ? { method: "stub", keptFromSeq: last.seq } : null;
}

/** Seq of the first item to keep: the newest items that fit the room, from a whole turn if one fits, else from a whole message. */
function findCut(items: readonly ContextItem[], room: number): number | null {
  let kept = 0;
  let first = items.length;
  while (first > 0 && kept + itemTokens(items[first - 1] as ContextItem) <= room) {
    first -= 1;
    kept += itemTokens(items[first] as ContextItem);
  }
  // A summary of nothing but a summary would save nothing and be wanted for ever.
  const least = items[0]?.kind === "summary" ? 2 : 1;
  let message: number | null = null;
  for (let i = Math.max(first, least); i < items.length; i++) {
    const item = items[i] as ContextItem;
    if (item.kind === "user") return item.seq;
    if (message === null && beginsMessage(items[i - 1] as ContextItem, item)) message = item.seq;
  }
  return message;
}

/** No tool pair lies across this place: an assistant message begins only when all results of the one before are in. */
function beginsMessage(before: ContextItem, item: ContextItem): boolean {
  if (item.kind !== "text" && item.kind !== "thinking" && item.kind !== "tool_use") return false;
  return !("messageId" in before) || before.messageId !== item.messageId;
}

function isLongOutput(item: ContextItem): boolean {
  return item.kind === "tool_result" && item.content !== stub && itemTokens(item) > stubFromTokens;
}

/** The items after a compaction. */
export function compactItems(
  items: AppendList<ContextItem>,
  event: SessionEvent<"context.compacted">,
): AppendList<ContextItem> {
  const { method, keptFromSeq, summary } = event.data;
  if (method === "stub") return AppendList.from([...items].map((item) => stubbed(item, keptFromSeq)));
  const kept = [...items].filter((item) => item.seq >= keptFromSeq);
  // The summary stands in the place of what it replaces, so that the next one replaces it.
  return AppendList.from([{ kind: "summary", seq: keptFromSeq - 1, text: summary ?? "" }, ...kept]);
}

function stubbed(item: ContextItem, before: number): ContextItem {
  return item.kind === "tool_result" && item.seq < before && isLongOutput(item)
    ? { ...item, content: stub }
    : item;
}

/** Estimated tokens after a plan, for the event that tells of it. */
export function tokensAfter(at: NamespaceState, plan: CompactionPlan, summaryTokens: number): number {
  const { method, keptFromSeq } = plan;
  let sum = method === "summary" ? summaryTokens : 0;
  for (const item of at.items) {
    if (method === "stub") sum += itemTokens(stubbed(item, keptFromSeq));
    else if (item.seq >= keptFromSeq) sum += itemTokens(item);
  }
  return sum;
}
