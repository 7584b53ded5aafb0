import type { StreamEvent } from "@berth/contract";
import type { Door } from "../../support/server/api.ts";
import { type Following, FollowRefusal, type Frame } from "./frame.ts";

/** Follows over SSE. Reads the wire by itself, so that the checks do not rest on the client that they could share a fault with. */
export async function* followSse({ url, apiKey }: Door, following: Following): AsyncGenerator<Frame> {
  const { sessionId, after, signal } = following;
  const response = await fetch(`${url}/api/v1/sessions/${sessionId}/events/stream`, {
    headers: {
      accept: "text/event-stream",
      authorization: `Bearer ${apiKey}`,
      ...(after !== null && { "last-event-id": after }),
    },
    signal,
  });
  if (response.status === 204) return yield { kind: "archived" };
  if (response.status !== 200) {
    const { code = "", detail = "" } = (await response.json().catch(() => ({}))) as Record<string, string>;
    throw new FollowRefusal(code || String(response.status), detail);
  }
  if (response.body === null) return;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body) {
    const messages = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
    rest = messages.pop() ?? "";
    for (const message of messages) {
      const frame = frameOf(message);
      if (frame !== null) yield frame;
    }
  }
}

/** Null for a comment, a `retry:` or a bare cursor. */
function frameOf(message: string): Frame | null {
  const fields = new Map<string, string>();
  for (const line of message.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trimStart());
  }
  const type = fields.get("event");
  const data = fields.get("data");
  if (type === undefined || data === undefined || type === "cursor") return null;
  if (type === "end") {
    const { code, message: told } = JSON.parse(data) as { code: string; message: string };
    throw new FollowRefusal(code, told);
  }
  return { kind: "event", cursor: fields.get("id") ?? null, event: JSON.parse(data) as StreamEvent };
}
