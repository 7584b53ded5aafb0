import type { LiveFrame } from "../../coordination/session-frames.ts";
import { blockKey } from "./log-entry.ts";

/** Something live on its way to followers: one object for all of them, as with log entries. */
export class LiveItem {
  readonly type: string;
  readonly namespace: string;
  /** The whole event. */
  readonly json: string;
  /** For text: the block that it belongs to, and where in it. */
  readonly text: TextPlace | null;

  constructor({ type, namespace, json, delta }: LiveFrame) {
    this.type = type;
    this.namespace = namespace;
    this.json = json;
    this.text =
      delta === undefined
        ? null
        : {
            block: blockKey(delta.messageId, delta.blockId),
            messageId: delta.messageId,
            attempt: delta.attempt,
            offset: delta.offset,
            end: delta.offset + delta.length,
          };
  }
}

export interface TextPlace {
  readonly block: string;
  readonly messageId: string;
  readonly attempt: number;
  /** UTF-16 code units of the block before and after this text. */
  readonly offset: number;
  readonly end: number;
}

/** The same delta without what lies before `offset`. */
export function cutDelta(item: LiveItem, offset: number): string {
  if (item.text === null || offset <= item.text.offset) return item.json;
  const event = JSON.parse(item.json) as { data: { text: string; offset: number } };
  const text = event.data.text.slice(offset - item.text.offset);
  return JSON.stringify({ ...event, data: { ...event.data, offset, text } });
}
