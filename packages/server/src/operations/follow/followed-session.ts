import type { Bus } from "../../coordination/bus.ts";
import { type LiveFrame, type SessionFrame, sessionTopic } from "../../coordination/session-frames.ts";
import { type Clock, every, type TimerHandle } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { SessionStore } from "../../store/store.ts";
import { FinishedBlocks } from "./finished-blocks.ts";
import type { LogPage } from "./follow-source.ts";
import type { Follower } from "./follower.ts";
import { LiveItem, type TextPlace } from "./live-item.ts";
import { LogEntry } from "./log-entry.ts";
import type { Turns } from "./turns.ts";

/** How a session's followers read. Times are milliseconds. */
export interface SourceSettings {
  /** How often the store is asked where the log ends, whatever the bus says. */
  readonly tickMs: number;
  /** How long the worker that writes may take to tell the text so far. */
  readonly answerMs: number;
  readonly pageEvents: number;
  readonly pageBytes: number;
}

/** Newest entries of the log whose blocks may still get late deltas. */
const recent = 64;

/**
 * One session that clients of this process follow: one subscription, one tick, and reads that followers at the same place share.
 * Ends by itself when the last one leaves.
 */
export class FollowedSession {
  readonly #store: SessionStore;
  readonly #bus: Bus;
  readonly #topic: string;
  readonly #clock: Clock;
  readonly #settings: SourceSettings;
  readonly #turns: Turns;
  readonly #report: (thrown: unknown) => void;
  readonly #onEmpty: () => void;
  readonly #followers = new Set<Follower>();
  readonly #finished = new FinishedBlocks();
  readonly #reads = new Map<number, Promise<LogPage | null | "failed">>();
  #asking: Promise<readonly LiveItem[]> | null = null;
  #unsubscribe: Promise<() => void> | null = null;
  #ticker: TimerHandle | null = null;
  #generation = 0;

  constructor(options: {
    orgId: string;
    sessionId: string;
    store: SessionStore;
    bus: Bus;
    clock: Clock;
    settings: SourceSettings;
    turns: Turns;
    report: (thrown: unknown) => void;
    onEmpty: () => void;
  }) {
    this.#store = options.store;
    this.#bus = options.bus;
    this.#topic = sessionTopic(options.orgId, options.sessionId);
    this.#clock = options.clock;
    this.#settings = options.settings;
    this.#turns = options.turns;
    this.#report = options.report;
    this.#onEmpty = options.onEmpty;
  }

  /** Starts the follower as soon as the bus is heard. A bus that cannot be heard is only a slower one. */
  join(follower: Follower, generation: number): void {
    this.#generation = Math.max(this.#generation, generation);
    this.#followers.add(follower);
    this.#ticker ??= every(this.#clock, this.#settings.tickMs, () => this.#tick());
    this.#unsubscribe ??= this.#bus.subscribe(this.#topic, (frame) => this.#hear(frame as SessionFrame));
    this.#unsubscribe
      .catch((thrown: unknown) => this.#report(thrown))
      .finally(() => {
        if (this.#followers.has(follower)) follower.start();
      });
  }

  leave(follower: Follower): void {
    if (!this.#followers.delete(follower) || this.#followers.size > 0) return;
    this.#ticker?.cancel();
    this.#unsubscribe?.then(
      (unsubscribe) => unsubscribe(),
      () => {},
    );
    this.#onEmpty();
  }

  isFinished(text: TextPlace): boolean {
    return this.#finished.has(text);
  }

  report(thrown: unknown): void {
    this.#report(thrown);
  }

  /** Followers that ask for the same place before the read has begun share it. One that has begun may miss what was just told. */
  read(after: number): Promise<LogPage | null | "failed"> {
    const shared = this.#reads.get(after);
    if (shared !== undefined) return shared;
    const reading = new Promise<LogPage | null | "failed">((resolve) => {
      this.#turns.add(() => {
        this.#reads.delete(after);
        resolve(this.#readNow(after));
      });
    });
    this.#reads.set(after, reading);
    return reading;
  }

  async openBlocks(): Promise<readonly LiveItem[]> {
    this.#asking ??= Promise.resolve().then(() => {
      this.#asking = null;
      return this.#ask();
    });
    return this.#asking;
  }

  async #readNow(after: number): Promise<LogPage | null | "failed"> {
    const { pageEvents: limit, pageBytes: maxBytes } = this.#settings;
    try {
      const page = await this.#store.readLog({ after, limit, maxBytes });
      if (page === null) return null;
      const { generation, lastSeq } = page.record;
      this.#generation = generation;
      const entries = page.events.map((event) => LogEntry.stored(page.record, event));
      const reached = after + entries.length;
      if ((entries.at(-1)?.seq ?? after) !== reached || (entries.length === 0 && lastSeq > after)) {
        throw new BerthError("log_broken", `the log has a hole after ${after}`);
      }
      this.#noteFinished(entries.filter(({ seq }) => seq > lastSeq - recent));
      return { generation, lastSeq, entries };
    } catch (thrown) {
      this.#report(thrown);
      return "failed";
    }
  }

  #hear(frame: SessionFrame): void {
    if (frame.kind === "live") {
      const item = new LiveItem(frame);
      for (const follower of this.#followers) follower.live(item);
      return;
    }
    const entries = frame.events.map((event) => new LogEntry(this.#generation, event));
    this.#noteFinished(entries);
    for (const follower of this.#followers) follower.entries(entries);
  }

  #noteFinished(entries: readonly LogEntry[]): void {
    for (const { finishedText } of entries) if (finishedText !== null) this.#finished.add(finishedText);
  }

  async #ask(): Promise<readonly LiveItem[]> {
    try {
      const answer = await this.#bus.ask(this.#topic, { ask: "open_blocks" }, this.#settings.answerMs);
      return newestAttempts(((answer ?? []) as readonly LiveFrame[]).map((frame) => new LiveItem(frame)));
    } catch (thrown) {
      this.#report(thrown);
      return [];
    }
  }

  async #tick(): Promise<void> {
    try {
      const record = await this.#store.find();
      for (const follower of this.#followers) follower.tick(record);
    } catch (thrown) {
      this.#report(thrown);
    }
  }
}

/** A message that is written again may have fewer blocks than before: what is left of its earlier attempts is over. */
function newestAttempts(items: readonly LiveItem[]): readonly LiveItem[] {
  const newest = new Map<string, number>();
  for (const { text } of items) {
    if (text !== null) newest.set(text.messageId, Math.max(text.attempt, newest.get(text.messageId) ?? 0));
  }
  return items.filter(({ text }) => text !== null && text.attempt === newest.get(text.messageId));
}
