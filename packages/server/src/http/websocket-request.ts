import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { idSchema } from "@berth/contract";

/** What a WebSocket is opened for. */
export interface SocketTarget {
  /** Null: the multiplexed WebSocket. */
  readonly sessionId: string | null;
  readonly search: URLSearchParams;
}

const sessionId = idSchema("session");

/** Null for a path that has no WebSocket. */
export function targetOf({ url = "" }: IncomingMessage): SocketTarget | null {
  const question = url.indexOf("?");
  const path = question === -1 ? url : url.slice(0, question);
  const search = new URLSearchParams(question === -1 ? "" : url.slice(question + 1));
  if (path === "/api/v1/ws") return { sessionId: null, search };
  const id = sessionId.safeParse(/^\/api\/v1\/sessions\/([^/]+)\/ws$/.exec(path)?.[1]);
  return id.success ? { sessionId: id.data, search } : null;
}

/**
 * False for a page of another origin: browsers let any page open a WebSocket to anywhere, with the user's cookies and inside
 * the user's network. What is no browser sends no Origin.
 */
export function isSameOrigin({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: from } = new URL(origin);
  const own = `${protocol}//${host}`;
  return (protocol === "http:" || protocol === "https:") && URL.canParse(own) && new URL(own).host === from;
}

export function refuseUpgrade(socket: Duplex, status: "403 Forbidden" | "404 Not Found"): void {
  socket.on("error", () => {});
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
