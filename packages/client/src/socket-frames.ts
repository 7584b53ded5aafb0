import { type ClientFrame, type ServerFrame } from "@berth/contract";
import { BerthApiError } from "./error.ts";
import type { Frame, OpenConnection } from "./event-frame.ts";
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
      const read = readFrame(frame);
      if (read === "cut") return;
      yield read;
    }
  };
}

function readFrame(frame: ServerFrame): Frame | "cut" {
  switch (frame.op) {
    case "event":
      return { kind: "event", cursor: frame.cursor ?? null, event: frame.event };
    case "cursor":
      return { kind: "cursor", cursor: frame.cursor };
    case "end":
      return endOf(frame);
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

function endOf(frame: { code: string; message: string }): Frame | "cut" {
  if (frame.code === "archived") return { kind: "end" };
  if (statuses[frame.code] === undefined) return "cut";
  throw refusalOf(frame);
}

/** What a WebSocket tells by code alone, with the status that HTTP has for it. */
const statuses: Readonly<Record<string, number>> = {
  unauthenticated: 401,
  forbidden: 403,
  session_not_found: 404,
  cursor_invalid: 409,
  validation_failed: 422,
};

function refusalOf({ code, message }: { code: string; message: string }): BerthApiError {
  return new BerthApiError(statuses[code] ?? 500, { code, detail: message });
}
