import type {
  FilterRequest,
  FollowEnd,
  Follower,
  FollowSink,
  LiveItem,
  LogEntry,
} from "../../../src/operations/follow-events.ts";
import { type FollowScene, principal, sessionId } from "./scene.ts";

interface Delta {
  readonly data: {
    readonly messageId: string;
    readonly blockId: number;
    readonly attempt: number;
    readonly offset: number;
    readonly text: string;
  };
}

/** One connection of a client, which notes what it is sent and refuses what a client must never be sent. */
export class Reader implements FollowSink {
  /** Everything in the order in which it came, one word each. */
  readonly got: string[] = [];
  readonly seqs: number[] = [];
  /** By block: the attempt that it is at and its text so far. */
  readonly texts = new Map<string, { attempt: number; text: string }>();
  /** What it was sent and should not have been. */
  readonly wrong: string[] = [];
  unsent = 0;
  asksForDrain = 0;
  follower: Follower | null = null;

  get cursor(): string {
    return `1.${this.seqs.at(-1) ?? 0}`;
  }

  entry(entry: LogEntry): void {
    this.got.push(String(entry.seq));
    this.seqs.push(entry.seq);
  }

  live(item: LiveItem, json: string): void {
    if (this.follower?.phase !== "live") this.wrong.push(`live in phase ${this.follower?.phase}`);
    if (item.text === null) return void this.got.push(item.type);
    const { data } = JSON.parse(json) as Delta;
    const key = `${data.messageId}/${data.blockId}`;
    this.got.push(`${key}@${data.attempt}+${data.offset}`);
    const known = this.texts.get(key);
    const goesOn = known?.attempt === data.attempt;
    const expected = goesOn ? known.text.length : 0;
    if (data.offset !== expected) this.wrong.push(`${key}: offset ${data.offset} after ${expected}`);
    if (known !== undefined && data.attempt < known.attempt) this.wrong.push(`${key}: an older attempt`);
    this.texts.set(key, { attempt: data.attempt, text: (goesOn ? known.text : "") + data.text });
  }

  moved(cursor: string): void {
    this.got.push(`cursor ${cursor}`);
  }

  end({ code }: FollowEnd): void {
    this.got.push(`end ${code}`);
  }

  askForDrain(): void {
    this.asksForDrain += 1;
  }

  /** The client takes all that was sent to it. */
  drain(): void {
    this.unsent = 0;
    this.follower?.drained();
  }

  text(key: string): string {
    if (this.wrong.length > 0) throw new Error(this.wrong.join("; "));
    return this.texts.get(key)?.text ?? "";
  }

  disconnect(): void {
    this.follower?.stop();
  }
}

export interface Following {
  readonly after?: string | null;
  readonly filter?: FilterRequest;
}

/** Opens a connection; nothing was sent yet when this resolves but what a settled scene brings. */
export async function follow(
  scene: FollowScene,
  { after = null, filter = {} }: Following = {},
): Promise<Reader> {
  const reader = new Reader();
  const opened = await scene.following.open(principal, { sessionId, after, filter });
  if (opened.kind === "nothing") throw new Error("nothing to follow");
  reader.follower = opened.start(reader);
  return reader;
}
