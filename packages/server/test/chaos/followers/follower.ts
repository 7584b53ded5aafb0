import { isLive, type SessionEvent, type StreamEvent } from "@berth/contract";
import { hashJson } from "../../../src/lib/canonical-json.ts";
import type { Door } from "../../support/server/api.ts";
import type { Checklist } from "../checklist.ts";
import { FollowRefusal, type OpenFollow } from "./frame.ts";
import { TextAssembly } from "./text-assembly.ts";
import { sleep } from "../sleep.ts";

export const followerRules = {
  order: "I9 a follower sees each event once and in order, over all its reconnects",
  log: "I9 what a follower saw is the log after its cursor",
  text: "live text is never wrong",
} as const;

export interface FollowerOptions {
  readonly sessionId: string;
  /** Cursor to begin after; null: from the first event. */
  readonly after: string | null;
  readonly transport: string;
  readonly open: OpenFollow;
  /** The server that runs now; waits while there is none. */
  readonly door: () => Promise<Door>;
  readonly checklist: Checklist;
  /** Called with each event of the log, once. */
  readonly onEvent?: (event: SessionEvent) => void;
  /** Called with every frame, live ones too. */
  readonly onFrame?: (event: StreamEvent) => void;
}

/** How often the same place may be refused before it counts as a fault: a session can be unreadable for a moment. */
const toleratedRefusals = 40;
const archivedPauseMs = 150;

/** One client that follows a session, connects again whenever its connection breaks, and keeps a record of all it saw. */
export class Follower {
  readonly sessionId: string;
  readonly transport: string;
  /** The seq after which it began. */
  readonly from: number;
  /** A hash of each event that it saw, in the order in which it saw them. */
  readonly seen: string[] = [];
  readonly texts: TextAssembly;
  connections = 0;
  /** Connections after the first one that brought something. */
  resumed = 0;
  /** Breaks while a text was being written. */
  breaksInText = 0;
  readonly #options: FollowerOptions;
  readonly #ending = new AbortController();
  readonly #ended: Promise<null>;
  readonly #running: Promise<void>;
  #connection = new AbortController();
  #cursor: string | null;
  #seq: number;
  #inText = false;
  #refusals = 0;

  constructor(options: FollowerOptions) {
    const { sessionId, after, transport, checklist } = options;
    this.sessionId = sessionId;
    this.transport = transport;
    this.#options = options;
    this.#cursor = after;
    this.from = after === null ? 0 : Number(after.split(".")[1]);
    this.#seq = this.from;
    this.texts = new TextAssembly((story) =>
      checklist.violated(followerRules.text, `${transport}: ${story}`, sessionId),
    );
    this.#ended = new Promise((resolve) => {
      this.#ending.signal.addEventListener("abort", () => resolve(null), { once: true });
    });
    this.#running = this.#follow();
  }

  get seq(): number {
    return this.#seq;
  }

  /** Breaks the connection from this side; it connects again. */
  reconnect(): void {
    this.#connection.abort();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    this.#connection.abort();
    await this.#running;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const door = await Promise.race([this.#options.door(), this.#ended]);
      if (door === null) return;
      this.#connection = new AbortController();
      try {
        await this.#read(door);
      } catch (thrown) {
        if (thrown instanceof FollowRefusal && this.#refused(thrown)) return;
      }
      if (this.#inText) this.breaksInText += 1;
      this.#inText = false;
      await sleep(5, signal);
    }
  }

  async #read(door: Door): Promise<void> {
    const { open, sessionId } = this.#options;
    this.connections += 1;
    this.texts.reconnected();
    const { signal } = this.#connection;
    let first = this.connections > 1;
    if (this.#ending.signal.aborted) return;
    for await (const frame of open(door, { sessionId, after: this.#cursor, signal })) {
      if (frame.kind === "archived") return sleep(archivedPauseMs, this.#ending.signal);
      if (this.#ending.signal.aborted) return;
      if (first) this.resumed += 1;
      first = false;
      this.#take(frame.event, frame.cursor);
    }
  }

  #take(event: StreamEvent, cursor: string | null): void {
    this.#refusals = 0;
    const { checklist, sessionId, transport } = this.#options;
    this.texts.take(event);
    this.#inText = event.type.endsWith(".delta");
    if (!isLive(event)) {
      const { seq } = event;
      const next = this.#seq + 1;
      const named = cursor === null ? null : Number(cursor.split(".")[1]);
      const right = checklist.check(
        followerRules.order,
        seq === next && named === seq,
        () =>
          `${transport}: after ${this.#seq} came ${seq} (${event.type}, cursor ${cursor}) on connection ${this.connections}`,
        sessionId,
      );
      if (!right && seq <= this.#seq) return;
      this.#seq = seq;
      this.#cursor = cursor;
      this.seen.push(hashJson(event));
      this.#options.onEvent?.(event);
    }
    this.#options.onFrame?.(event);
  }

  /** True when there is no use in trying again. */
  #refused(refusal: FollowRefusal): boolean {
    this.#refusals += 1;
    if (refusal.code !== "cursor_invalid" && this.#refusals < toleratedRefusals) return false;
    const { checklist, sessionId, transport } = this.#options;
    checklist.violated(
      followerRules.order,
      `${transport}: refused at cursor ${this.#cursor}: ${refusal.message}`,
      sessionId,
    );
    return true;
  }
}
