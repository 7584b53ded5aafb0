import {
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { PreviewedSandbox } from "../../operations/sandbox-ports.ts";
import type { Clock } from "../../lib/clock.ts";
import { requestHeaders, responseHeaders } from "./preview-headers.ts";

export interface Proxied {
  readonly sandbox: PreviewedSandbox;
  readonly port: number;
  readonly request: IncomingMessage;
  /** The browser speaks TLS. */
  readonly secure: boolean;
  /** Ends it: the preview was closed, or the server stops. */
  readonly signal: AbortSignal;
  readonly limits: ProxyLimits;
  readonly clock: Clock;
}

export interface ProxyLimits {
  readonly bodyBytes: number;
  /** A connection over which nothing goes for so long is cut, milliseconds. */
  readonly idleMs: number;
  /** How long a sandbox's server may take to begin a WebSocket, milliseconds. */
  readonly openMs: number;
}

/** The body of a request is bigger than what is taken. */
export class BodyTooLarge extends Error {}

/** Answers a request with what the sandbox's server answers. Rejects before anything was sent when that cannot be had. */
export async function proxyRequest(proxied: Proxied, response: ServerResponse): Promise<void> {
  const { request, limits } = proxied;
  if (Number(request.headers["content-length"] ?? 0) > limits.bodyBytes) throw new BodyTooLarge();
  const { upstream, connection } = await dial(proxied);
  upstream.once("close", () => connection.destroy());
  response.socket?.setTimeout(limits.idleMs);
  // Node counts a request's time as long as its body comes; here it may be a slow sandbox that does not take it.
  const gone = () => upstream.destroy();
  response.once("close", gone);
  proxied.signal.addEventListener("abort", gone, { once: true });
  try {
    const sent = pipeline(request, limited(limits.bodyBytes), upstream);
    const answered = answerOf(upstream);
    sent.catch(gone);
    const answer = await Promise.race([answered, sent.then(() => answered)]);
    response.writeHead(answer.statusCode ?? 502, responseHeaders(answer.headers));
    await pipeline(answer, response);
  } finally {
    proxied.signal.removeEventListener("abort", gone);
    response.off("close", gone);
    upstream.destroy();
  }
}

/** Joins a WebSocket of a browser with one of the sandbox. Rejects before anything was sent when that cannot be had in time. */
export async function proxyUpgrade(proxied: Proxied, socket: Duplex, head: Buffer): Promise<void> {
  const { upstream, connection } = await dial({ ...proxied, upgrade: "websocket" });
  const gone = () => {
    connection.destroy();
    socket.destroy();
  };
  proxied.signal.addEventListener("abort", gone, { once: true });
  socket.once("close", gone);
  try {
    upstream.end();
    const late = proxied.clock.after(proxied.limits.openMs, () => connection.destroy());
    const opened = await openedOf(upstream).finally(() => late.cancel());
    if (opened === null) {
      socket.end("HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const { answer, inner, rest } = opened;
    timeOut(socket, proxied.limits.idleMs);
    socket.write(headOf(answer));
    if (rest.length > 0) socket.write(rest);
    if (head.length > 0) inner.write(head);
    socket.pipe(inner).pipe(socket);
    await new Promise<void>((resolve) => connection.once("close", resolve));
  } finally {
    proxied.signal.removeEventListener("abort", gone);
    connection.destroy();
  }
}

/** A request to the port, over a connection of its own; its head goes with its first byte. */
async function dial(
  proxied: Proxied & { readonly upgrade?: string },
): Promise<{ readonly upstream: ClientRequest; readonly connection: Duplex }> {
  const { sandbox, port, request, secure, upgrade } = proxied;
  const connection = await sandbox.openPort(port);
  connection.on("error", () => {});
  const about = { port, secure, ...(upgrade !== undefined && { upgrade }) };
  const upstream = httpRequest({
    method: request.method ?? "GET",
    path: request.url ?? "/",
    headers: requestHeaders(request.headers, about),
    setHost: false,
    createConnection: () => connection,
  });
  return { upstream, connection };
}

function answerOf(upstream: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    upstream.once("response", resolve);
    upstream.on("error", reject);
    upstream.once("close", () => reject(new Error("the sandbox's server gave no answer")));
  });
}

interface Opened {
  readonly answer: IncomingMessage;
  readonly inner: Duplex;
  readonly rest: Buffer;
}

/** Null when the sandbox's server answers something else. */
function openedOf(upstream: ClientRequest): Promise<Opened | null> {
  return new Promise((resolve, reject) => {
    upstream.once("upgrade", (answer, inner, rest) => resolve({ answer, inner, rest }));
    upstream.once("response", (answer) => {
      answer.resume();
      resolve(null);
    });
    upstream.on("error", reject);
    upstream.once("close", () => reject(new Error("the sandbox's server gave no answer")));
  });
}

function headOf(answer: IncomingMessage): string {
  const headers = { ...responseHeaders(answer.headers), connection: "Upgrade", upgrade: "websocket" };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => (one === undefined ? [] : [`${name}: ${one}\r\n`])),
  );
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`;
}

/** A generator of the same bytes that throws when they become too many. */
function limited(most: number) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > most) throw new BodyTooLarge();
      yield chunk;
    }
  };
}

function timeOut(socket: Duplex, ms: number): void {
  if (!("setTimeout" in socket) || typeof socket.setTimeout !== "function") return;
  socket.setTimeout(ms, () => socket.destroy());
}
