import type { FollowEnd, Follower, FollowSink, LiveItem, LogEntry } from "../operations/follow-events.ts";
import { entryTail, eventHead, liveTail } from "./websocket-frames.ts";
import type { WebSocketWire } from "./websocket-wire.ts";

/** One session that a WebSocket follows. */
export class SessionSubscription implements FollowSink {
  readonly #id: string;
  readonly #head: string;
  readonly #wire: WebSocketWire;
  readonly #onEnd: () => void;
  #follower: Follower | null = null;

  constructor(options: { id: string; wire: WebSocketWire; onEnd: () => void }) {
    this.#id = options.id;
    this.#head = eventHead(options.id);
    this.#wire = options.wire;
    this.#onEnd = options.onEnd;
  }

  follow(follower: Follower): void {
    this.#follower = follower;
  }

  get unsent(): number {
    return this.#wire.unsent;
  }

  entry(entry: LogEntry): void {
    this.#wire.sendText(this.#head + entryTail(entry));
  }

  live(item: LiveItem, json: string): void {
    this.#wire.sendText(this.#head + liveTail(item, json));
  }

  moved(cursor: string): void {
    this.#wire.send({ op: "cursor", id: this.#id, cursor });
  }

  end({ code, message }: FollowEnd): void {
    this.#wire.send({ op: "end", id: this.#id, code, message });
    this.#onEnd();
  }

  askForDrain(): void {
    this.#wire.afterTaken(() => this.#follower?.drained());
  }

  /** The client wants no more of it, or the server stops. */
  stop(): void {
    this.#follower?.tellPosition();
    this.#follower?.stop();
    this.#follower = null;
  }
}
