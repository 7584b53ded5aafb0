import type { IncomingMessage } from "node:http";
import type { Presented } from "../auth/presented.ts";
import { ownOrigin, peerOf } from "./peer.ts";

/** What a request says of its sender. */
export function presentedOf(request: Request | IncomingMessage): Presented {
  return {
    header: request instanceof Request ? (name) => request.headers.get(name) : headerOf(request),
    peer: peerOf(request),
    method: (request.method ?? "GET").toUpperCase(),
    get target() {
      if (!(request instanceof Request)) return request.url ?? "";
      const { pathname, search } = new URL(request.url);
      return `${pathname}${search}`;
    },
    // Read only for cookies, and it costs the parsing of an address.
    get origin() {
      return ownOrigin(request);
    },
  };
}

/** Node keeps the first of several values of some headers: here all count, as in a Request. */
function headerOf({ headersDistinct }: IncomingMessage): Presented["header"] {
  return (name) => headersDistinct[name]?.join(", ") ?? null;
}
