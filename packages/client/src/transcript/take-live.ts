import type { LiveEvent } from "@berth/contract";
import type { TextBlock, ToolBlock } from "./block.ts";
import { type Blocks, isUnfinished, textKey } from "./blocks.ts";
import { addPiece } from "./live-text.ts";

type TextDelta = LiveEvent<"agent.message.delta" | "agent.thinking.delta">;
type Live = TextDelta | LiveEvent<"agent.tool_use.delta" | "agent.tool_progress">;

export function takeLive(blocks: Blocks, event: Live): void {
  switch (event.type) {
    case "agent.message.delta":
    case "agent.thinking.delta":
      return takeText(blocks, event);
    case "agent.tool_use.delta":
      return takeArguments(blocks, event);
    case "agent.tool_progress":
      return takeProgress(blocks, event);
  }
}

function takeText(blocks: Blocks, event: TextDelta): void {
  const key = textKey(event.data);
  const before = blocks.find(key);
  if (before !== undefined && (before.kind === "tool" || !isUnfinished(before))) return;
  const current = before?.kind === "text" || before?.kind === "thinking" ? before.text : null;
  const text = laidOn(blocks, { key, current, event });
  if (text === null || text === current) return;
  const block: TextBlock = {
    kind: event.type === "agent.message.delta" ? "text" : "thinking",
    key,
    namespace: event.namespace,
    runId: event.runId ?? null,
    seq: null,
    messageId: event.data.messageId,
    text,
    done: false,
    partial: false,
  };
  blocks.put(block);
}

function takeArguments(blocks: Blocks, event: LiveEvent<"agent.tool_use.delta">): void {
  const { toolUseId: key, name, messageId } = event.data;
  const before = blocks.findTool(key);
  if (before !== undefined && before.state !== "writing") return;
  const current = before?.inputText ?? null;
  const inputText = laidOn(blocks, { key, current, event });
  if (inputText === null || inputText === current) return;
  blocks.put({ ...(before ?? emptyTool(event)), key, toolUseId: key, name, messageId, inputText });
}

function emptyTool(
  event: LiveEvent<"agent.tool_use.delta">,
): Omit<ToolBlock, "key" | "toolUseId" | "name" | "messageId"> {
  return {
    kind: "tool",
    namespace: event.namespace,
    runId: event.runId ?? null,
    seq: null,
    state: "writing",
    input: undefined,
    inputText: "",
    progress: "",
    progressFrom: 0,
    approval: null,
    result: null,
  };
}

/** The block's text with this piece, or null when the piece belongs to an attempt that is over. */
function laidOn(
  blocks: Blocks,
  at: { key: string; current: string | null; event: TextDelta | LiveEvent<"agent.tool_use.delta"> },
): string | null {
  const { key, current, event } = at;
  const known = blocks.origins.get(key)?.attempt;
  if (known !== undefined && event.data.attempt < known) return null;
  const live = current === null || known === undefined ? null : { attempt: known, text: current };
  const next = addPiece(live, event.data);
  // What an earlier attempt left open in this namespace will never be finished.
  if (known !== next.attempt) dropOlder(blocks, event.namespace, next.attempt, key);
  blocks.origins.set(key, { attempt: next.attempt, stepId: event.stepId ?? null });
  return next.text;
}

function dropOlder(blocks: Blocks, namespace: string, attempt: number, except: string): void {
  blocks.removeUnfinished(
    (block, origin) =>
      block.key !== except && block.namespace === namespace && (origin?.attempt ?? attempt) < attempt,
  );
}

/** What a tool reports is shown as it comes; a missing part is skipped, because no one will send it again. */
function takeProgress(blocks: Blocks, { data }: LiveEvent<"agent.tool_progress">): void {
  const before = blocks.findTool(data.toolUseId);
  if (before === undefined || before.result !== null) return;
  const end = before.progressFrom + before.progress.length;
  if (data.offset === 0 || data.offset > end) {
    return blocks.put({ ...before, progress: data.text, progressFrom: data.offset });
  }
  const fresh = data.text.slice(end - data.offset);
  if (fresh !== "") blocks.put({ ...before, progress: before.progress + fresh });
}
