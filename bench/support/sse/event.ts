/** An event of about 500 bytes, as a log holds it. */
export function benchEvent(seq: number): {
  readonly seq: number;
  readonly type: string;
  readonly json: string;
} {
  const type = "agent.message";
  const data = { messageId: "msg_0", blockId: seq, text: "x".repeat(300) };
  const rest = { at: "2030-01-01T00:00:00.000Z", sessionId: "ses_0", namespace: "", v: 1 };
  return {
    seq,
    type,
    json: JSON.stringify({ seq, type, ...rest, actor: { type: "agent", id: "agt_0" }, data }),
  };
}

export const streamHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream",
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
};
