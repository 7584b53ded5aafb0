import { isLive, type LiveEvent, type SessionEvent, type StreamEvent } from "@berth/contract";

/** What one client has seen over all its connections, and what it should not have seen. */
export class Witness {
  readonly events: SessionEvent[] = [];
  readonly wrong: string[] = [];
  cursor: string | null = null;
  /** Deltas that were shown: to know that there was text to lose. */
  deltas = 0;
  /** By block, as it is shown: over all connections, and how far this one has come. */
  readonly #texts = new Map<string, { attempt: number; text: string }>();
  #reached = new Map<string, { attempt: number; end: number }>();

  /** A new connection begins. */
  connected(): void {
    this.#reached = new Map();
  }

  take(cursor: string | null, event: StreamEvent): void {
    if (isLive(event)) return this.#takeLive(event);
    if (cursor !== `1.${event.seq}`) this.wrong.push(`event ${event.seq} with the cursor ${cursor}`);
    const last = this.events.at(-1)?.seq ?? 0;
    if (event.seq !== last + 1) this.wrong.push(`event ${event.seq} after ${last}`);
    this.cursor = cursor;
    this.events.push(event);
    if (event.type !== "agent.message") return;
    const { messageId, blockId, text } = event.data;
    const shown = this.#texts.get(`${messageId}/${blockId}`)?.text ?? "";
    if (!text.startsWith(shown))
      this.wrong.push(`${JSON.stringify(shown)} was shown of ${JSON.stringify(text)}`);
  }

  #takeLive(event: LiveEvent): void {
    if (event.type !== "agent.message.delta") return;
    this.deltas += 1;
    const { messageId, blockId, attempt, offset, text } = event.data;
    const key = `${messageId}/${blockId}`;
    const before = this.#reached.get(key);
    const expected = before !== undefined && before.attempt === attempt ? before.end : 0;
    if (offset !== expected) this.wrong.push(`${key}: offset ${offset} after ${expected}`);
    this.#reached.set(key, { attempt, end: offset + text.length });
    const known = this.#texts.get(key);
    const kept = known !== undefined && known.attempt === attempt ? known.text.slice(0, offset) : "";
    this.#texts.set(key, { attempt, text: kept + text });
  }

  finished(): number {
    return this.events.filter(({ type }) => type === "run.finished").length;
  }
}
