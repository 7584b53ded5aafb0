import { formatCursor } from "@berth/contract";
import type { Clock } from "../../lib/clock.ts";
import type { EventFilter } from "./event-filter.ts";
import {
  type FollowEnd,
  type FollowSettings,
  type FollowSink,
  type FollowSource,
  maxHeld,
} from "./follow-source.ts";
import type { LiveItem } from "./live-item.ts";
import type { LogEntry } from "./log-entry.ts";
import { TextFollower } from "./text-follower.ts";

/**
 * backfill: pages are read from the store, from the position to the end of the log. The bus was subscribed to before.
 * cut-over: the last page was read; what the bus brought meanwhile is laid on.
 * live: the bus brings what is next. A gap, a tick that finds more in the store, or a client that does not take its bytes leads
 * back to backfill. Live events are sent only here.
 */
export type FollowPhase = "backfill" | "cut-over" | "live" | "ended";

/** One client's way through a session's log: every event after its cursor once and in order, and live text without holes. */
export class Follower {
  readonly #source: FollowSource & { leave(follower: Follower): void };
  readonly #sink: FollowSink;
  readonly #filter: EventFilter | null;
  readonly #clock: Clock;
  readonly #settings: FollowSettings;
  readonly #generation: number;
  readonly #texts: TextFollower;
  #phase: FollowPhase = "backfill";
  /** Seq of the last event that was sent or left out. */
  #position: number;
  /** The position that the client knows of, and since when it was not told of another. */
  #told: number;
  #toldAt: number;
  /** The client has to take its bytes first. */
  #blocked = false;
  /** Entries that came while a page was read; null: no page is being read. */
  #held: LogEntry[] | "too many" | null = null;

  constructor(options: {
    source: FollowSource & { leave(follower: Follower): void };
    sink: FollowSink;
    filter: EventFilter | null;
    clock: Clock;
    settings: FollowSettings;
    generation: number;
    /** The seq after which to begin. */
    after: number;
  }) {
    this.#source = options.source;
    this.#sink = options.sink;
    this.#filter = options.filter;
    this.#clock = options.clock;
    this.#settings = options.settings;
    this.#generation = options.generation;
    this.#texts = new TextFollower(options);
    this.#position = options.after;
    this.#told = options.after;
    this.#toldAt = options.clock.monotonic();
  }

  get phase(): FollowPhase {
    return this.#phase;
  }

  /** Called once, when the source hears the bus. */
  start(): void {
    this.#goBack();
  }

  /** The client is gone, or nothing more shall be sent to it. */
  stop(): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#held = null;
    this.#texts.stop();
    this.#source.leave(this);
  }

  /** The client has taken every byte. */
  drained(): void {
    if (!this.#blocked || this.#phase === "ended") return;
    this.#blocked = false;
    this.#goBack();
  }

  /** What the store says now and then, whatever the bus brings. Null: the session does not exist. */
  tick(log: { readonly generation: number; readonly lastSeq: number } | null): void {
    if (this.#phase === "ended") return;
    if (log === null) return this.#end(gone);
    if (log.generation !== this.#generation) return this.#end(restored);
    const behind = this.#phase === "live" && log.lastSeq > this.#position;
    const stalled = this.#phase === "backfill" && this.#held === null && !this.#blocked;
    if (behind || stalled) this.#goBack();
    else if (this.#phase === "live") this.#texts.askIfOutOfStep();
    if (this.#clock.monotonic() - this.#toldAt >= this.#settings.cursorEveryMs) this.tellPosition();
  }

  /** Tells the client where it is, when its filter has left out events since it last knew. */
  tellPosition(): void {
    this.#toldAt = this.#clock.monotonic();
    if (this.#phase === "ended" || this.#position === this.#told) return;
    this.#told = this.#position;
    this.#sink.moved(formatCursor(this.#generation, this.#position));
  }

  /** Entries that the bus brings. */
  entries(entries: readonly LogEntry[]): void {
    if (this.#phase === "backfill") this.#hold(entries);
    else if (this.#phase === "live" && !this.#takeAll(entries)) this.#goBack();
  }

  /** Something live that the bus brings. */
  live(item: LiveItem): void {
    if (this.#phase !== "live") return;
    if (this.#filter !== null && !this.#filter.wants(item)) return;
    if (this.#isFull()) return this.#waitForDrain();
    if (item.text === null) this.#sink.live(item, item.json);
    else this.#texts.take(item);
  }

  #goBack(): void {
    this.#phase = "backfill";
    this.#texts.pause();
    if (this.#held !== null || this.#blocked) return;
    this.#backfill().catch((thrown: unknown) => {
      this.#source.report(thrown);
      this.#end(broken);
    });
  }

  /** Reads from the position to the end of the log, then cuts over. A failed read leaves it to the next tick. */
  async #backfill(): Promise<void> {
    for (;;) {
      if (this.#isFull()) return this.#waitForDrain();
      this.#held = [];
      const page = await this.#source.read(this.#position);
      if (this.#isOver()) return;
      const held: readonly LogEntry[] | "too many" = this.#held;
      this.#held = null;
      if (page === "failed") return;
      if (page === null) return this.#end(gone);
      if (page.generation !== this.#generation) return this.#end(restored);
      // The client's connection may have filled meanwhile: several followers can share one.
      if (this.#isFull()) return this.#waitForDrain();
      this.#takeAll(page.entries);
      if (this.#position >= page.lastSeq && this.#cutOver(held)) return;
    }
  }

  /** False when the bus has brought more than was kept, or lost something on the way. */
  #cutOver(held: readonly LogEntry[] | "too many"): boolean {
    this.#phase = "cut-over";
    if (held === "too many" || !this.#takeAll(held)) {
      this.#phase = "backfill";
      return false;
    }
    this.#phase = "live";
    this.#texts.ask();
    return true;
  }

  #hold(entries: readonly LogEntry[]): void {
    if (this.#held === null || this.#held === "too many") return;
    if (this.#held.length + entries.length > maxHeld) this.#held = "too many";
    else this.#held.push(...entries);
  }

  /** Passes on what is next and drops what was seen. False at a gap. */
  #takeAll(entries: readonly LogEntry[]): boolean {
    for (const entry of entries) {
      if (entry.seq <= this.#position) continue;
      if (entry.seq !== this.#position + 1) return false;
      if (this.#phase === "live" && this.#isFull()) {
        this.#waitForDrain();
        return true;
      }
      this.#take(entry);
    }
    return true;
  }

  #take(entry: LogEntry): void {
    this.#position = entry.seq;
    this.#texts.entrySent(entry);
    if (this.#filter !== null && !this.#filter.wants(entry)) return;
    this.#told = entry.seq;
    this.#toldAt = this.#clock.monotonic();
    this.#sink.entry(entry);
  }

  #isFull(): boolean {
    return this.#sink.unsent >= this.#settings.maxUnsent;
  }

  #waitForDrain(): void {
    this.#phase = "backfill";
    this.#blocked = true;
    this.#texts.pause();
    this.#sink.askForDrain();
  }

  #isOver(): boolean {
    return this.#phase === "ended";
  }

  #end(end: FollowEnd): void {
    if (this.#phase === "ended") return;
    this.tellPosition();
    this.stop();
    this.#sink.end(end);
  }
}

const gone: FollowEnd = { code: "session_not_found", message: "The session was deleted." };
const broken: FollowEnd = { code: "internal", message: "The server could not go on. Connect again." };
const restored: FollowEnd = {
  code: "cursor_invalid",
  message: "The session was restored from a backup. Begin again without a cursor.",
};
