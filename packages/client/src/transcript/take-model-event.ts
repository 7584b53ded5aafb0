import type { SessionEvent } from "@berth/contract";
import type { NoticeBlock } from "./block.ts";
import { type Blocks, textKey } from "./blocks.ts";

type Written = SessionEvent<"agent.message" | "agent.thinking">;
type ModelEvent =
  | Written
  | SessionEvent<
      | "user.message"
      | "system.message"
      | "step.finished"
      | "model.retried"
      | "model.fell_back"
      | "context.compacted"
    >;

export function takeModelEvent(blocks: Blocks, event: ModelEvent): void {
  switch (event.type) {
    case "user.message":
    case "system.message":
      return blocks.put({
        ...placeOf(event),
        kind: "message",
        key: `event:${event.seq}`,
        from: event.type === "user.message" ? "user" : "system",
        content: event.data.content,
      });
    case "agent.message":
    case "agent.thinking":
      return takeWritten(blocks, event);
    case "step.finished":
      return finishStep(blocks, event);
    case "model.retried":
      return blocks.put(
        notice(event, `${event.data.model} failed and is asked again: ${event.data.error.message}`),
      );
    case "model.fell_back":
      return blocks.put(
        notice(event, `${event.data.from} failed, ${event.data.to} goes on: ${event.data.error.message}`),
      );
    case "context.compacted":
      return blocks.put(
        notice(
          event,
          `The context was shortened from ${event.data.tokensBefore} to ${event.data.tokensAfter} tokens.`,
        ),
      );
  }
}

/** Live text can be ahead of the log: that of the next step stays. */
function finishStep(blocks: Blocks, { namespace, stepId }: SessionEvent<"step.finished">): void {
  blocks.removeUnfinished((block, origin) => {
    const ofAnother = stepId !== undefined && (origin?.stepId ?? stepId) !== stepId;
    return block.namespace === namespace && !ofAnother;
  });
}

/** The finished block is the truth, whatever the pieces before it said. */
function takeWritten(blocks: Blocks, event: Written): void {
  const { data } = event;
  blocks.put({
    ...placeOf(event),
    kind: event.type === "agent.message" ? "text" : "thinking",
    key: textKey(data),
    messageId: data.messageId,
    text: data.text,
    done: true,
    partial: "partial" in data && data.partial === true,
  });
}

export function notice(event: SessionEvent, text: string, level: NoticeBlock["level"] = "info"): NoticeBlock {
  return { ...placeOf(event), kind: "notice", key: `event:${event.seq}`, level, code: event.type, text };
}

export function placeOf(event: SessionEvent): { namespace: string; runId: string | null; seq: number } {
  return { namespace: event.namespace, runId: event.runId ?? null, seq: event.seq };
}
