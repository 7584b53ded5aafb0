import { formatCursor } from "@berth/contract";
import { knownEventVersion } from "../../session/upcast.ts";
import { messageIdOf } from "../../session/message-id.ts";
import type { SessionRecord, StoredEvent } from "../../store/records.ts";
import { ownEvent } from "../own-event.ts";

const finishing: ReadonlySet<string> = new Set(["agent.message", "agent.thinking", "agent.tool_use"]);

/**
 * One event of a log on its way to followers. All followers of a session in this process get the same object, so that what
 * has to be made of it (bytes, parsed parts) is made once.
 */
export class LogEntry {
  readonly generation: number;
  readonly seq: number;
  readonly type: string;
  /** The whole event. */
  readonly json: string;
  #parsed: ParsedParts | null = null;

  constructor(generation: number, event: StoredEvent) {
    this.generation = generation;
    this.seq = event.seq;
    this.type = event.type;
    this.json = event.json;
  }

  /** An event of the store as readers of this session see it. Parsed only when it has to change. */
  static stored(record: SessionRecord, event: StoredEvent): LogEntry {
    const shared = record.forkedFrom !== null && event.seq <= record.forkedFrom.seq;
    if (knownEventVersion === 1 && !shared) return new LogEntry(record.generation, event);
    const json = JSON.stringify(ownEvent(event, record));
    return new LogEntry(record.generation, { ...event, json });
  }

  get cursor(): string {
    return formatCursor(this.generation, this.seq);
  }

  get namespace(): string {
    return this.#parts().namespace;
  }

  /** Key of the block of text that this event finishes, or id of the message of which it leaves no block open; null when it ends none. */
  get finishedText(): string | null {
    if (this.type === "step.finished") return messageIdOf(this.#parts().stepId ?? "");
    return this.finishedBlock;
  }

  /** Key of the block of text that this event finishes; null when it finishes none. */
  get finishedBlock(): string | null {
    if (!finishing.has(this.type)) return null;
    const { messageId, blockId } = this.#parts().data;
    return blockKey(messageId ?? "", blockId ?? 0);
  }

  #parts(): ParsedParts {
    return (this.#parsed ??= partsOf(JSON.parse(this.json) as ParsedParts));
  }
}

interface ParsedParts {
  readonly namespace: string;
  readonly stepId?: string;
  readonly data: { readonly messageId?: string; readonly blockId?: number };
}

/** Lets go of the rest of the event. */
function partsOf({ namespace, stepId, data: { messageId, blockId } }: ParsedParts): ParsedParts {
  return {
    namespace,
    ...(stepId !== undefined && { stepId }),
    data: { ...(messageId !== undefined && { messageId }), ...(blockId !== undefined && { blockId }) },
  };
}

export function blockKey(messageId: string, blockId: number): string {
  return `${messageId}/${blockId}`;
}
