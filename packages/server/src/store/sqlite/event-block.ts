import { BerthError } from "../../lib/errors.ts";
import type { StoredEvent } from "../records.ts";
import type { EventBlock } from "./protocol.ts";

/** Bytes of UTF-8 that one event may have. */
const maxEventBytes = 16 * 1024 * 1024;

export function isTooLarge(events: readonly StoredEvent[]): boolean {
  for (const { json } of events) {
    // A UTF-16 unit has at most three bytes, so counting is needed for few.
    if (json.length > maxEventBytes / 3 && Buffer.byteLength(json) > maxEventBytes) return true;
  }
  return false;
}

/** A commit's events as they are stored. Throws when they would not come back as they are. */
export function eventBlock(events: readonly StoredEvent[], firstSeq: number): EventBlock {
  let types = "";
  let body = "";
  for (let i = 0; i < events.length; i++) {
    const { seq, type, json } = events[i] as StoredEvent;
    if (seq !== firstSeq + i) {
      throw new BerthError("internal", `event ${seq} was given where ${firstSeq + i} follows`);
    }
    if (json.includes("\n") || type === "" || type.includes(",")) {
      throw new BerthError("internal", `event ${seq} (${type}) cannot be stored as one line`);
    }
    types += i === 0 ? type : `,${type}`;
    body += i === 0 ? json : `\n${json}`;
  }
  return { count: events.length, types, body };
}
