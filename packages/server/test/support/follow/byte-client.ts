import { createParser } from "eventsource-parser";
import { cursorBytes, endBytes, entryBytes, liveBytes } from "../../../src/http/sse-bytes.ts";
import type {
  FollowEnd,
  Follower,
  FollowSink,
  LiveItem,
  LogEntry,
} from "../../../src/operations/follow-events.ts";
import { type FollowScene, principal, sessionId } from "./scene.ts";

/** What a client of an event stream knows, over all its connections. */
export class ByteClient {
  readonly seqs: number[] = [];
  readonly texts = new Map<string, { attempt: number; text: string }>();
  readonly wrong: string[] = [];
  readonly #scene: FollowScene;
  #cursor: string | null = null;
  #connection: Connection | null = null;

  constructor(scene: FollowScene) {
    this.#scene = scene;
  }

  /** Opens a connection after the last cursor that came whole; what was under way on the old one is lost. */
  async connect(): Promise<void> {
    this.#connection?.follower?.stop();
    const opened = await this.#scene.following.open(principal, {
      sessionId,
      after: this.#cursor,
      filter: {},
    });
    if (opened.kind === "nothing") throw new Error("nothing to follow");
    const decoder = new TextDecoder();
    const parser = createParser({
      onEvent: ({ id, event, data }) => this.#take(id, event ?? "", JSON.parse(data)),
    });
    this.#connection = new Connection((bytes) => parser.feed(decoder.decode(bytes, { stream: true })));
    const reached = new Map<string, { attempt: number; end: number }>();
    this.#reached = reached;
    this.#connection.follower = opened.start(this.#connection);
  }

  /** The network brings so many bytes. */
  flow(bytes: number): void {
    this.#connection?.flow(bytes);
  }

  /** What this connection was sent of each block. */
  #reached = new Map<string, { attempt: number; end: number }>();

  #take(id: string | undefined, type: string, event: Delta & { seq?: number }): void {
    if (id !== undefined) {
      this.#cursor = id;
      this.seqs.push(event.seq ?? Number.NaN);
    } else if (type.endsWith(".delta")) this.#takeDelta(event);
    else this.wrong.push(type);
  }

  #takeDelta({ data: { messageId, blockId, attempt, offset, text } }: Delta): void {
    const key = `${messageId}/${blockId}`;
    const before = this.#reached.get(key);
    const expected = before?.attempt === attempt ? before.end : 0;
    if (offset !== expected) this.wrong.push(`${key}@${attempt}: offset ${offset} after ${expected}`);
    if (before !== undefined && attempt < before.attempt) this.wrong.push(`${key}: an older attempt`);
    this.#reached.set(key, { attempt, end: offset + text.length });
    const known = this.texts.get(key);
    const kept = known?.attempt === attempt ? known.text.slice(0, offset) : "";
    this.texts.set(key, { attempt, text: kept + text });
    const whole = this.#scene.writer.textOfAttempt(key, attempt);
    if (!whole.startsWith(kept + text))
      this.wrong.push(`${key}@${attempt}: ${kept + text} instead of ${whole}`);
  }
}

interface Delta {
  readonly data: {
    readonly messageId: string;
    readonly blockId: number;
    readonly attempt: number;
    readonly offset: number;
    readonly text: string;
  };
}

/** Bytes between the server and a client. */
class Connection implements FollowSink {
  follower: Follower | null = null;
  readonly #receive: (bytes: Uint8Array) => void;
  #pending: Buffer = Buffer.alloc(0);
  #asked = false;

  constructor(receive: (bytes: Uint8Array) => void) {
    this.#receive = receive;
  }

  get unsent(): number {
    return this.#pending.length;
  }

  entry(entry: LogEntry): void {
    this.#write(entryBytes(entry));
  }

  live(item: LiveItem, json: string): void {
    this.#write(liveBytes(item, json));
  }

  moved(cursor: string): void {
    this.#write(cursorBytes(cursor));
  }

  end(end: FollowEnd): void {
    this.#write(endBytes(end));
  }

  askForDrain(): void {
    this.#asked = true;
  }

  flow(bytes: number): void {
    this.#receive(this.#pending.subarray(0, bytes));
    this.#pending = this.#pending.subarray(bytes);
    if (this.#pending.length > 0 || !this.#asked) return;
    this.#asked = false;
    this.follower?.drained();
  }

  #write(bytes: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
  }
}
