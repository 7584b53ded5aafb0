import { get, type IncomingMessage } from "node:http";
import type { StreamEvent } from "@berth/contract";
import type { Door } from "../../support/server/api.ts";
import { type Following, FollowRefusal, type Frame } from "./frame.ts";

/** Follows over SSE. Reads the wire by itself, so that the checks do not rest on the client that they could share a fault with. */
export async function* followSse(door: Door, following: Following): AsyncGenerator<Frame> {
  const response = await open(door, following);
  if (response.statusCode === 204) return yield { kind: "archived" };
  if (response.statusCode !== 200) throw await refusalOf(response);
  let rest = "";
  for await (const text of response.setEncoding("utf8") as AsyncIterable<string>) {
    const messages = (rest + text).split("\n\n");
    rest = messages.pop() ?? "";
    for (const message of messages) {
      const frame = frameOf(message);
      if (frame !== null) yield frame;
    }
  }
}

/** A connection of its own: half the CPU of `fetch`, and nothing of it outlives the connection. */
function open({ url, apiKey }: Door, { sessionId, after, signal }: Following): Promise<IncomingMessage> {
  const headers = {
    accept: "text/event-stream",
    authorization: `Bearer ${apiKey}`,
    ...(after !== null && { "last-event-id": after }),
  };
  const address = `${url}/api/v1/sessions/${sessionId}/events/stream`;
  return new Promise((resolve, reject) => {
    get(address, { headers, signal, agent: false }, resolve).on("error", reject);
  });
}

async function refusalOf(response: IncomingMessage): Promise<FollowRefusal> {
  let text = "";
  for await (const piece of response.setEncoding("utf8") as AsyncIterable<string>) text += piece;
  let told: { code?: string; detail?: string } = {};
  try {
    told = JSON.parse(text) as typeof told;
  } catch {
    // The status says enough.
  }
  return new FollowRefusal(told.code ?? String(response.statusCode), told.detail ?? "");
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
