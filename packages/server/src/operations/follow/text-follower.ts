import type { Clock } from "../../lib/clock.ts";
import type { EventFilter } from "./event-filter.ts";
import { type FollowSettings, type FollowSink, type FollowSource, maxHeld } from "./follow-source.ts";
import { cutDelta, type LiveItem, type TextPlace } from "./live-item.ts";
import type { LogEntry } from "./log-entry.ts";

interface Reached {
  readonly attempt: number;
  /** Where the text that was sent ends. */
  readonly end: number;
}

/**
 * Live text on its way to one client. Whatever comes, what is sent of an attempt is that attempt's text from 0 on, without hole
 * or repeat; a higher attempt begins anew. Text after a hole is dropped until the text so far was asked for.
 */
export class TextFollower {
  readonly #source: FollowSource;
  readonly #sink: FollowSink;
  readonly #filter: EventFilter | null;
  readonly #clock: Clock;
  readonly #settings: FollowSettings;
  /** How much of each open block was sent. Null while there is none: an idle follower costs nothing. */
  #reached: Map<string, Reached> | null = null;
  /** Deltas of blocks that are out of step, while their text is asked for; null: nothing is asked. */
  #held: LiveItem[] | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** A delta was dropped because of a hole before it. */
  #outOfStep = false;

  constructor(options: {
    source: FollowSource;
    sink: FollowSink;
    filter: EventFilter | null;
    clock: Clock;
    settings: FollowSettings;
  }) {
    this.#source = options.source;
    this.#sink = options.sink;
    this.#filter = options.filter;
    this.#clock = options.clock;
    this.#settings = options.settings;
  }

  /** A delta that the filter lets pass. */
  take(item: LiveItem): void {
    if (this.#pass(item)) return;
    if (this.#held !== null) {
      if (this.#held.length < maxHeld) this.#held.push(item);
    } else if (this.#clock.monotonic() - this.#askedAt >= this.#settings.askEveryMs) this.ask([item]);
    // A block that nobody can tell about must not lead to a question for each of its deltas.
    else this.#outOfStep = true;
  }

  /** Asks for the text so far of all open blocks, sends what is missing and then what was held. */
  ask(held: LiveItem[] = []): void {
    if (this.#filter?.text === false) return;
    this.#askedAt = this.#clock.monotonic();
    this.#held = held;
    void this.#source.openBlocks().then((answer) => {
      if (this.#held === held) this.#answered(answer, held);
    });
  }

  askIfOutOfStep(): void {
    if (this.#outOfStep && this.#held === null) this.ask();
  }

  /** The follower leaves the live phase: what is held, and an answer that comes now, are of no use. */
  pause(): void {
    this.#held = null;
  }

  /** An entry of the log is sent: the blocks that it finishes need no more text. Those of what comes after it may be open already. */
  entrySent(entry: LogEntry): void {
    if (this.#reached === null) return;
    const { finishedText, finishedBlock } = entry;
    if (finishedText === null) return;
    if (finishedBlock !== null) this.#reached.delete(finishedBlock);
    else this.#forgetMessage(finishedText);
    if (this.#reached.size === 0) this.#reached = null;
  }

  stop(): void {
    this.#held = null;
    this.#reached = null;
  }

  #answered(answer: readonly LiveItem[], held: readonly LiveItem[]): void {
    this.#held = null;
    for (const item of answer) if (this.#filter === null || this.#filter.wants(item)) this.#pass(item);
    this.#outOfStep = false;
    for (const item of held) if (!this.#pass(item)) this.#outOfStep = true;
  }

  /** Sends what is new of a delta. False when there is a hole before it. */
  #pass(item: LiveItem): boolean {
    if (item.text === null || this.#source.isFinished(item.text)) return true;
    const from = this.#advance(item.text);
    if (from === "hole") return false;
    if (from !== "known") this.#sink.live(item, from === item.text.offset ? item.json : cutDelta(item, from));
    return true;
  }

  /** The offset from which on a delta is new. */
  #advance({ block, messageId, attempt, offset, end }: TextPlace): number | "known" | "hole" {
    const reached = this.#reached?.get(block);
    if (reached === undefined || attempt > reached.attempt) {
      if (reached === undefined && this.#isOver(messageId, attempt)) return "known";
      if (offset > 0) return "hole";
      this.#forgetMessage(messageId, attempt);
      this.#reach(block, { attempt, end });
      return 0;
    }
    if (attempt < reached.attempt || end <= reached.end) return "known";
    if (offset > reached.end) return "hole";
    this.#reach(block, { attempt, end });
    return reached.end;
  }

  /** True when the message was begun anew since: its other blocks are at a higher attempt. */
  #isOver(messageId: string, attempt: number): boolean {
    for (const [block, reached] of this.#reached ?? [])
      if (reached.attempt > attempt && block.startsWith(`${messageId}/`)) return true;
    return false;
  }

  /** Its blocks, or those of attempts before this one. */
  #forgetMessage(messageId: string, before = Number.POSITIVE_INFINITY): void {
    for (const [block, { attempt }] of this.#reached ?? [])
      if (attempt < before && block.startsWith(`${messageId}/`)) this.#reached?.delete(block);
  }

  #reach(block: string, reached: Reached): void {
    this.#reached ??= new Map();
    this.#reached.set(block, reached);
  }
}
