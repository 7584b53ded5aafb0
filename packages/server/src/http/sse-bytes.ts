import type { FollowEnd, LiveItem, LogEntry } from "../operations/follow-events.ts";

// Made once for all followers: they get the same entries and items. What a client is sent of its own is made for it alone.
const bytesOfEntries = new WeakMap<LogEntry, Buffer>();
const bytesOfItems = new WeakMap<LiveItem, Buffer>();

/** An entry of the log. Its JSON is one line, so it is one `data` line. */
export function entryBytes(entry: LogEntry): Buffer {
  const made = bytesOfEntries.get(entry);
  if (made !== undefined) return made;
  const bytes = Buffer.from(`id: ${entry.cursor}\nevent: ${entry.type}\ndata: ${entry.json}\n\n`);
  bytesOfEntries.set(entry, bytes);
  return bytes;
}

/** A live event: no id, so that a client never resumes from it. */
export function liveBytes(item: LiveItem, json: string): Buffer {
  if (json !== item.json) return Buffer.from(`event: ${item.type}\ndata: ${json}\n\n`);
  const made = bytesOfItems.get(item);
  if (made !== undefined) return made;
  const bytes = Buffer.from(`event: ${item.type}\ndata: ${json}\n\n`);
  bytesOfItems.set(item, bytes);
  return bytes;
}

/** The position, after events that the filter left out. */
export function cursorBytes(cursor: string): Buffer {
  return Buffer.from(`id: ${cursor}\nevent: cursor\ndata: {}\n\n`);
}

export function endBytes({ code, message }: FollowEnd): Buffer {
  return Buffer.from(`event: end\ndata: ${JSON.stringify({ code, message })}\n\n`);
}

/** Of output that ended for another reason than that its process did. */
export function outputEndBytes({
  code,
  message,
}: {
  readonly code: string;
  readonly message: string;
}): Buffer {
  return Buffer.from(`event: end\ndata: ${JSON.stringify({ code, message })}\n\n`);
}

export function retryBytes(ms: number): Buffer {
  return Buffer.from(`retry: ${ms}\n\n`);
}

/** What says that the connection lives. */
export const heartbeat: Buffer = Buffer.from(":\n\n");

export const goodbye: Buffer = Buffer.from(": the server is stopping, connect again\n\n");
