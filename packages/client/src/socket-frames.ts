import type { ClientFrame, ServerFrame } from "@berth/contract";
import type { Frame, OpenConnection } from "./event-frame.ts";
import { refusalOf } from "./refusal.ts";
import { openSocket, type SocketSource } from "./socket.ts";

/** Connections to a session's events over WebSocket. */
export function socketConnections(source: SocketSource, sessionId: string): OpenConnection {
  return async function* (after, signal) {
    const subscribe: ClientFrame = {
      op: "subscribe",
      id: "events",
      sessionId,
      ...(after !== null && { after }),
    };
    for await (const frame of openSocket(source, [subscribe], signal)) {
      yield readFrame(frame);
      if (frame.op === "end") return;
    }
  };
}

function readFrame(frame: ServerFrame): Frame {
  switch (frame.op) {
    case "event":
      return { kind: "event", cursor: frame.cursor ?? null, event: frame.event };
    case "cursor":
      return { kind: "cursor", cursor: frame.cursor };
    case "end":
      return { kind: "ended", code: frame.code, message: frame.message };
    case "subscribed":
      return { kind: "open" };
    case "error":
      throw refusalOf(frame);
    case "hint":
    case "accepted":
    case "pong":
      return { kind: "alive" };
  }
}
