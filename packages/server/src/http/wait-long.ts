import { outgoingOf } from "./node-requests.ts";

/** For a request whose answer may take longer than a connection may be silent: its own time limit ends it. The next request is as usual. */
export function waitLong(request: Request): void {
  outgoingOf(request)?.socket?.setTimeout(0);
}
