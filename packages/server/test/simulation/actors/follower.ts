import type {
  FollowEnd,
  Follower as Connection,
  FollowSink,
  LiveItem,
  LogEntry,
} from "../../../src/operations/follow-events.ts";
import type { Book } from "../checks/book.ts";
import { must } from "../checks/violation.ts";
import type { ApiProcess } from "../processes.ts";
import type { World } from "../world.ts";
import { BerthError } from "../../../src/lib/errors.ts";
import type { Requests } from "./requests.ts";

const againMs = 700;
/** Blocks of which a follower knows the text. */
const mostTexts = 100;

/** Follows one session for ever: connects anew from its cursor whenever it was cut off. Checks all that it is sent (I9). */
export class Follower {
  readonly #world: World;
  readonly #requests: Requests;
  readonly #book: Book;
  readonly #name: string;
  /** Seq of the last event that it was sent. */
  position = 0;
  ended: FollowEnd | null = null;
  #connection: Connection | null = null;
  #texts = new Map<string, { attempt: number; text: string }>();
  /** Entries that it takes before it is slow, and how long it is slow then. */
  #slow: { left: number; ms: number } | null = null;
  #sink: FollowSink | null = null;
  #attempt = 0;
  #unbind: () => void = () => {};

  constructor(world: World, requests: Requests, name: string, book: Book) {
    this.#world = world;
    this.#requests = requests;
    this.#book = book;
    this.#name = name;
    this.#connect();
  }

  /** Nothing is left that it has not been sent. */
  get isUpToDate(): boolean {
    return this.#book.deleted || this.position === this.#book.raw.length;
  }

  describe(): string {
    return `${this.#name} is at ${this.position} of ${this.#book.raw.length} of ${this.#book.id}`;
  }

  cut(): void {
    this.#connection?.stop();
    this.#lose();
  }

  slowDown(ms: number): void {
    this.#slow = { left: 2, ms };
  }

  #lose(): void {
    this.#connection = null;
    this.#sink = null;
    this.#texts.clear();
    this.#world.scheduler.after(againMs, null, `${this.#name} connects again`, () => this.#connect());
  }

  #connect(): void {
    if (this.ended !== null || this.#connection !== null) return;
    const attempt = ++this.#attempt;
    const { apis, scheduler } = this.#world;
    const api = apis[attempt % apis.length] as ApiProcess;
    const { life } = api;
    if (life.dead || api.following === null) return this.#lose();
    const after = this.position === 0 ? null : `1.${this.position}`;
    const again = () => {
      if (attempt === this.#attempt && this.#connection === null) this.#lose();
    };
    this.#unbind();
    // The socket breaks when the process dies.
    this.#unbind = life.atEnd(() =>
      scheduler.after(1, null, `${this.#name} lost its connection`, () => {
        if (attempt === this.#attempt) this.#lose();
      }),
    );
    const { following } = api;
    scheduler.after(0.5, life, `${this.#name} connects`, () => {
      following.open(this.#requests.principal, { sessionId: this.#book.id, after, filter: {} }).then(
        (opened) => {
          if (attempt !== this.#attempt || life.dead) return;
          if (opened.kind === "nothing") return again();
          this.#sink = this.#sinkOf(attempt);
          this.#connection = opened.start(this.#sink);
        },
        (error: unknown) => {
          if (!(error instanceof BerthError)) return this.#world.failWith(error);
          if (error.code === "session_not_found") return this.#gone(error);
          if (!error.retryable)
            return this.#world.fail("I9", `${this.#name}: ${error.code} at ${after}: ${error.message}`);
          again();
        },
      );
    });
  }

  #gone(end: Pick<FollowEnd, "message">): void {
    this.#unbind();
    this.ended = { code: "session_not_found", message: end.message };
    this.#connection = null;
    if (!this.#book.deleted) this.#world.fail("I9", `${this.#name} was told that ${this.#book.id} is gone`);
  }

  #sinkOf(attempt: number): FollowSink {
    const isMine = () => attempt === this.#attempt;
    const sink = {
      unsent: 0,
      entry: (entry: LogEntry) => {
        if (!isMine()) return;
        this.#world.checking(() => this.#entry(entry));
        if (this.#slow !== null && --this.#slow.left <= 0) {
          sink.unsent = 1_000_000;
          this.#world.faults.count("reader is slow");
        }
      },
      live: (item: LiveItem, json: string) => {
        if (isMine()) this.#world.checking(() => this.#live(item, json));
      },
      moved: () => {},
      end: (end: FollowEnd) => {
        if (!isMine()) return;
        if (end.code === "session_not_found") return this.#gone(end);
        this.#world.fail("I9", `${this.#name} was ended: ${end.code}`);
      },
      askForDrain: () => {
        const { ms } = this.#slow ?? { ms: 0 };
        this.#slow = null;
        this.#world.scheduler.after(ms, null, `${this.#name} has read all`, () => {
          sink.unsent = 0;
          if (isMine()) this.#connection?.drained();
        });
      },
    };
    return sink;
  }

  #entry({ seq, type, json }: LogEntry): void {
    this.#world.scheduler.note(this.#name, `event ${seq} ${type}`);
    const known = this.#book.raw[seq - 1];
    must(seq === this.position + 1, "I9", () => `${this.#name} was sent ${seq} after ${this.position}`);
    must(known !== undefined, "I9", () => `${this.#name} was sent ${seq}, which is not committed`);
    must(known.type === type, "I9", () => `${this.#name} was sent ${type} at ${seq}, where ${known.type} is`);
    const isShared = seq <= this.#book.forkedAt;
    must(
      isShared || json === this.#book.jsons[seq - 1],
      "I9",
      () => `${this.#name} was sent another event at ${seq}`,
    );
    this.position = seq;
  }

  /** Of an attempt it is sent the text from 0 on, without a hole or a repeat; a higher one begins anew. */
  #live({ text }: LiveItem, json: string): void {
    if (text === null) return;
    const { type, data } = JSON.parse(json) as { type: string; data: { offset: number; text: string } };
    this.#world.scheduler.note(this.#name, `text ${text.block}@${text.attempt}+${data.offset}`);
    const before = this.#texts.get(text.block);
    const goesOn = before?.attempt === text.attempt;
    must(
      before === undefined || text.attempt >= before.attempt,
      "I9",
      () => `${this.#name} was sent an older attempt of ${text.block}`,
    );
    const expected = goesOn ? before.text.length : 0;
    must(
      data.offset === expected,
      "I9",
      () => `${this.#name} was sent ${text.block} from ${data.offset}, after ${expected}`,
    );
    const soFar = (goesOn ? before.text : "") + data.text;
    must(
      type !== "agent.message.delta" || this.#world.outside.isAnswer(soFar, { whole: false }),
      "I9",
      () => `${this.#name} was sent ${JSON.stringify(soFar)}, which no model said`,
    );
    this.#texts.set(text.block, { attempt: text.attempt, text: soFar });
    if (this.#texts.size <= mostTexts) return;
    const [oldest = ""] = this.#texts.keys();
    this.#texts.delete(oldest);
  }
}
