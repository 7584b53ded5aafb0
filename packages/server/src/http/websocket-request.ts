import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { idSchema } from "@berth/contract";
import type { Cors } from "./cors.ts";
import type { Edge } from "./edge.ts";
import { requireOrderly } from "./orderly-request.ts";
import { ownOrigin } from "./peer.ts";

/** What a WebSocket is opened for: events, or a terminal in a sandbox. */
export type SocketTarget = EventsTarget | TerminalTarget;

export interface EventsTarget {
  readonly kind: "events";
  /** Null: the multiplexed WebSocket. */
  readonly sessionId: string | null;
  readonly search: URLSearchParams;
}

export interface TerminalTarget {
  readonly kind: "terminal";
  readonly sandboxId: string;
  readonly search: URLSearchParams;
}

const sessionId = idSchema("session");
const sandboxId = idSchema("sandbox");

/** Null for a path that has no WebSocket. */
export function targetOf({ url = "" }: IncomingMessage): SocketTarget | null {
  const question = url.indexOf("?");
  const path = question === -1 ? url : url.slice(0, question);
  const search = new URLSearchParams(question === -1 ? "" : url.slice(question + 1));
  if (path === "/api/v1/ws") return { kind: "events", sessionId: null, search };
  const session = sessionId.safeParse(/^\/api\/v1\/sessions\/([^/]+)\/ws$/.exec(path)?.[1]);
  if (session.success) return { kind: "events", sessionId: session.data, search };
  const sandbox = sandboxId.safeParse(/^\/api\/v1\/sandboxes\/([^/]+)\/terminal$/.exec(path)?.[1]);
  return sandbox.success ? { kind: "terminal", sandboxId: sandbox.data, search } : null;
}

/**
 * False for a page of another origin that is not on the list: browsers let any page open a WebSocket to anywhere, with the user's
 * cookies and inside the user's network. What is no browser sends no Origin.
 */
function isAllowedOrigin(request: IncomingMessage, { origins }: Cors): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  if (origins.has(origin) || origin === ownOrigin(request)) return true;
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: from } = new URL(origin);
  const own = `${protocol}//${host}`;
  return (protocol === "http:" || protocol === "https:") && URL.canParse(own) && new URL(own).host === from;
}

/** Why this request opens no WebSocket; null when it may. */
export function refusalOf(request: IncomingMessage, { cors, urlBytes, overload }: Edge): Refusal | null {
  if (!isAllowedOrigin(request, cors)) return "403 Forbidden";
  if (overload.isOverloaded) return "503 Service Unavailable";
  try {
    requireOrderly(request, urlBytes);
    return null;
  } catch {
    return "400 Bad Request";
  }
}

type Refusal = "400 Bad Request" | "403 Forbidden" | "404 Not Found" | "503 Service Unavailable";

export function refuseUpgrade(socket: Duplex, status: Refusal): void {
  socket.on("error", () => {});
  const later = status.startsWith("503") ? "retry-after: 1\r\n" : "";
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n${later}content-length: 0\r\n\r\n`);
}
