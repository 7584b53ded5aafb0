import type { ServerFrame } from "@berth/contract";
import { asBerthError } from "../lib/errors.ts";
import type { LiveItem, LogEntry } from "../operations/follow-events.ts";
import { errorStatuses, isErrorCode } from "./error-codes.ts";

// What follows the subscription's id is the same for all clients and made once.
const tailsOfEntries = new WeakMap<LogEntry, string>();

/** The part of a frame that names its subscription. */
export function eventHead(id: string): string {
  return `{"op":"event","id":${JSON.stringify(id)},`;
}

export function entryTail(entry: LogEntry): string {
  const made = tailsOfEntries.get(entry);
  if (made !== undefined) return made;
  const tail = `"cursor":"${entry.cursor}","event":${entry.json}}`;
  tailsOfEntries.set(entry, tail);
  return tail;
}

export function liveTail(_item: LiveItem, json: string): string {
  return `"event":${json}}`;
}

/** What the caller may know of a failure. */
export function errorFrame(thrown: unknown, id: string | undefined): ServerFrame {
  const { code, message } = toldOf(thrown);
  return { op: "error", ...(id !== undefined && { id }), code, message };
}

/** What the caller may know of a failure, in other frames than a subscription's. */
export function toldOf(thrown: unknown): { readonly code: string; readonly message: string } {
  const error = asBerthError(thrown);
  const { code, message } = error;
  if (isErrorCode(code) && code !== "internal") return { code, message };
  return { code: "internal", message: "Something went wrong on the server." };
}

/**
 * The close code for a failure that ends a WebSocket: 4000 and the HTTP status, so 4401, 4403, 4404, 4409 or 4422; 1013 when
 * connecting again later may help; 1011 for what is the server's fault.
 */
export function closeCodeOf(thrown: unknown): number {
  const { code, retryable } = asBerthError(thrown);
  const status = isErrorCode(code) ? errorStatuses[code] : 500;
  if (retryable || status === 503) return 1013;
  return status >= 500 ? 1011 : 4000 + status;
}
