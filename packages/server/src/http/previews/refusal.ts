import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { asBerthError } from "../../lib/errors.ts";
import { previewSecurity } from "./preview-headers.ts";
import { BodyTooLarge } from "./proxy.ts";

/** An answer that is no sandbox's. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
}

/** More requests to one preview at once than are taken. */
export class TooMany extends Error {}

/** Forged, expired, revoked, of another host, of a sandbox that is gone: it is all the same. */
export const noSuchPreview: Refusal = {
  status: 403,
  text: "There is no preview here for you: it has expired or was closed, or its address is not whole. Open the port again.",
};
export const foreignPage: Refusal = {
  status: 403,
  text: "Pages of other sites and previews may not use this one.",
};

export const plain = {
  ...previewSecurity,
  "cache-control": "no-store",
  "content-type": "text/plain; charset=utf-8",
  "content-security-policy": "default-src 'none'",
} as const;

/** What a browser is told of a failure. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof TooMany) return { status: 503, text: "Too many requests to this preview at once." };
  if (error instanceof BodyTooLarge)
    return { status: 413, text: "This request's body is too large for a preview." };
  const { code, message } = asBerthError(error);
  if (code === "port_refused")
    return {
      status: 502,
      text: "Nothing listens on this port of the sandbox: start its server, then come again.",
    };
  if (code === "address_not_allowed") return { status: 403, text: message };
  if (orderly.has(code)) return { status: 400, text: message };
  return { status: 502, text: "The sandbox's server gave no answer that could be passed on." };
}

const orderly: ReadonlySet<string> = new Set([
  "malformed_request",
  "http_version",
  "url_too_long",
  "too_many_headers",
]);

export function refuse(response: ServerResponse, { status, text }: Refusal): void {
  // What is left of the request's body is not read.
  response.writeHead(status, { ...plain, connection: "close" }).end(`${text}\n`);
}

export function refuseSocket(socket: Duplex, { status }: Refusal): void {
  socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
