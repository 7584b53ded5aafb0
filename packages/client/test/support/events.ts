import {
  formatCursor,
  type LiveEvent,
  type PersistedType,
  type SessionEvent,
  type StreamEvent,
} from "@berth/contract";

export const sessionId = "ses_00000000000000000000000001";
export const runId = "run_00000000000000000000000001";
export const usage = {
  inputTokens: 1,
  outputTokens: 2,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};

type Extra = { readonly namespace?: string; readonly inputId?: string; readonly runId?: string };

/** An entry of the log. */
export function logged<T extends PersistedType>(
  seq: number,
  type: T,
  data: SessionEvent<T>["data"],
  extra: Extra = {},
): SessionEvent<T> {
  const actor = { type: "agent", id: "test" } as const;
  const at = "2030-01-01T00:00:00.000Z";
  return {
    seq,
    type,
    at,
    sessionId,
    runId,
    namespace: "",
    actor,
    v: 1,
    data,
    ...extra,
  };
}

export function live<T extends LiveEvent["type"]>(
  type: T,
  data: LiveEvent<T>["data"],
  extra: Extra = {},
): LiveEvent<T> {
  return {
    type,
    at: "2030-01-01T00:00:00.000Z",
    sessionId,
    runId,
    namespace: "",
    data,
    ...extra,
  };
}

/** An event as the server writes it to an SSE stream. */
export function sseOf(event: StreamEvent, generation = 1): string {
  const id = "seq" in event ? `id: ${formatCursor(generation, event.seq)}\n` : "";
  return `${id}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

export function message(seq: number, text: string): SessionEvent<"agent.message"> {
  return logged(seq, "agent.message", { messageId: "msg_00000000000000000000000001", blockId: seq, text });
}

export function finished(seq: number): SessionEvent<"run.finished"> {
  return logged(seq, "run.finished", { reason: "end_turn", usage, cost: 0.5, steps: 1, durationMs: 7 });
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
