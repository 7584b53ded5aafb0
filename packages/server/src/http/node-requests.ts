import type { ServerResponse } from "node:http";

const outgoing = new WeakMap<Request, ServerResponse>();

/** Remembers which of Node's responses belongs to a request, for answers that are written without a body object. */
export function keepOutgoing(request: Request, response: ServerResponse): void {
  outgoing.set(request, response);
}

/** Null when the request did not come through a Node server. */
export function outgoingOf(request: Request): ServerResponse | null {
  return outgoing.get(request) ?? null;
}
