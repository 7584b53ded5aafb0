import type { ServerFrame } from "@berth/contract";
import { WebSocket } from "ws";
import type { Door } from "../../support/server/api.ts";
import { type Following, FollowRefusal, type Frame } from "./frame.ts";
import { Inbox } from "./inbox.ts";

/** Opens a WebSocket. Its messages are parsed; the inbox ends when it closes. */
export function openSocket(
  { url, apiKey }: Door,
  path: string,
): { socket: WebSocket; inbox: Inbox<ServerFrame> } {
  const inbox = new Inbox<ServerFrame>();
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/api/v1${path}`, {
    headers: { authorization: `Bearer ${apiKey}` },
  });
  socket.on("message", (data: Buffer) => inbox.put(JSON.parse(data.toString("utf8")) as ServerFrame));
  socket.on("error", (error) => inbox.close(error));
  socket.on("close", () => inbox.close());
  return { socket, inbox };
}

/** Follows over a session's own WebSocket. */
export async function* followSocket(door: Door, following: Following): AsyncGenerator<Frame> {
  const { sessionId, after, signal } = following;
  const query = after === null ? "" : `?after=${after}`;
  const { socket, inbox } = openSocket(door, `/sessions/${sessionId}/ws${query}`);
  const cut = () => socket.terminate();
  signal.addEventListener("abort", cut, { once: true });
  try {
    if (signal.aborted) return;
    for await (const message of inbox.read()) {
      const frame = frameOf(message);
      if (frame !== null) yield frame;
      if (frame?.kind === "archived") return;
    }
  } finally {
    signal.removeEventListener("abort", cut);
    socket.terminate();
  }
}

/** Null for what says nothing about the session's events. Throws a refusal. */
export function frameOf(message: ServerFrame): Frame | null {
  switch (message.op) {
    case "event":
      return { kind: "event", cursor: message.cursor ?? null, event: message.event };
    case "end":
      if (message.code === "archived") return { kind: "archived" };
      throw new FollowRefusal(message.code, message.message);
    case "error":
      throw new FollowRefusal(message.code, message.message);
    case "cursor":
    case "hint":
    case "accepted":
    case "subscribed":
    case "pong":
      return null;
  }
}
