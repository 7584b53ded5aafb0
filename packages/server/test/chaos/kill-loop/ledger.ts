import type { AgentKind } from "./agent-kind.ts";

export type Lane = "control" | "steer" | "queue";

/** An input that the server said it had accepted. Ticks order what the driver saw: see Ledger.tick. */
export interface AcceptedEntry {
  readonly sessionId: string;
  readonly inputId: string;
  readonly runId: string | null;
  readonly type: string;
  readonly lane: Lane;
  /** When it was first sent, and when the first reply to it was there. */
  readonly sentTick: number;
  readonly repliedTick: number;
  /** Its place in its request. */
  readonly index: number;
  readonly key: string;
}

/** A text that only one request ever said. */
export interface MarkerEntry {
  readonly marker: string;
  readonly sessionId: string;
  readonly inputId: string | null;
  /** What became of its request: accepted with 2xx, or refused. */
  readonly accepted: boolean;
  readonly code: string;
}

export interface SessionEntry {
  readonly id: string;
  readonly kind: AgentKind;
  /** What the reply that made it said it was forked from. */
  readonly fork: { readonly of: string; readonly seq: number } | null;
}

/** What the driver knows by itself: all that the server promised it, and nothing that it would have to ask for. */
export class Ledger {
  readonly accepted: AcceptedEntry[] = [];
  readonly markers: MarkerEntry[] = [];
  readonly sessions = new Map<string, SessionEntry>();
  /** Titles that were confirmed, the last one of each session. */
  readonly titles = new Map<string, string>();
  /** Requests sent, requests that had to be repeated because their reply was lost, and replies that were repetitions. */
  requests = 0;
  repeated = 0;
  replayed = 0;
  #tick = 0;
  #names = 0;

  /** A moment: greater than every one before. */
  tick(): number {
    return ++this.#tick;
  }

  /** A word that nobody else uses. */
  word(prefix: string): string {
    return `${prefix}${(++this.#names).toString(36)}`;
  }
}
