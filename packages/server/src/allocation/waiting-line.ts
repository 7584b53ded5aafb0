import { type Clock, every, type TimerHandle } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import { FairLine } from "../lib/fair-line.ts";

/** There is no room. `user`: this user has as many as may be, and others of the same user need not ask. */
export interface NoRoom {
  readonly of: "user" | "org" | "host";
  readonly error: BerthError;
}

type Attempt<T> = { readonly given: T } | { readonly refused: NoRoom };

export interface Wish<T> {
  readonly orgId: string;
  readonly userId: string;
  /** Takes room if there is some. Quick: others wait for it. */
  readonly attempt: () => Promise<Attempt<T>>;
  /** For room that was taken for somebody who has left meanwhile. */
  readonly giveBack: (given: T) => void;
  /** Monotonic. */
  readonly until: number;
  readonly signal?: AbortSignal | undefined;
}

interface Waiter {
  readonly group: string;
  readonly lane: string;
  readonly key: string;
  readonly isOver: () => boolean;
  /** Null: it has left. */
  readonly attempt: () => Promise<NoRoom | null>;
}

/** Room that comes from elsewhere (another server, a host) is found within this time. */
const lookMs = 500;

/** Where sessions wait for room: organizations by turns, users of one by turns, each in the order of arrival. */
export class WaitingLine {
  readonly #clock: Clock;
  readonly #line = new FairLine<Waiter>();
  /** How many of a user wait. */
  readonly #users = new Map<string, number>();
  readonly #closing = new AbortController();
  #looking = false;
  #again = false;
  #timer: TimerHandle | null = null;
  #arrivals = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the attempt gives, at once or when there is room. Rejects with the last refusal when the time is over, or when the signal aborts. */
  async join<T>(wish: Wish<T>): Promise<T> {
    if (this.#users.has(userOf(wish))) return await this.#wait(wish, null);
    const first = await wish.attempt();
    if ("given" in first) return first.given;
    if (this.#clock.monotonic() >= wish.until) throw first.refused.error;
    return await this.#wait(wish, first.refused);
  }

  /** There may be room. */
  reconsider(): void {
    if (this.#users.size === 0) return;
    this.#again = true;
    if (this.#looking) return;
    this.#looking = true;
    void this.#look().finally(() => (this.#looking = false));
  }

  /** Who waits is told that the server is stopping. */
  close(): void {
    this.#closing.abort();
    this.#timer?.cancel();
    this.#timer = null;
  }

  #wait<T>(wish: Wish<T>, refused: NoRoom | null): Promise<T> {
    return new Promise((resolve, reject) => {
      let last = refused;
      let over = false;
      const place = { group: wish.orgId, lane: wish.userId, key: String(this.#arrivals++) };
      const leave = (end: () => void) => {
        if (over) return;
        over = true;
        timer.cancel();
        wish.signal?.removeEventListener("abort", aborted);
        this.#closing.signal.removeEventListener("abort", closed);
        this.#line.remove(place);
        this.#countUser(wish, -1);
        end();
      };
      const aborted = () => leave(() => reject(cancelled()));
      const closed = () => leave(() => reject(stopping()));
      const timer = this.#clock.after(Math.max(0, wish.until - this.#clock.monotonic()), () =>
        leave(() => reject(last?.error ?? tooLate())),
      );
      const attempt = async () => {
        const tried = await wish.attempt();
        if ("refused" in tried) {
          last = tried.refused;
          return over ? null : tried.refused;
        }
        if (over) wish.giveBack(tried.given);
        leave(() => resolve(tried.given));
        return null;
      };
      const failed = (error: unknown) => {
        leave(() => reject(error));
        return null;
      };
      this.#countUser(wish, 1);
      this.#line.add(place, { ...place, isOver: () => over, attempt: () => attempt().catch(failed) });
      wish.signal?.addEventListener("abort", aborted, { once: true });
      this.#closing.signal.addEventListener("abort", closed, { once: true });
      if (wish.signal?.aborted === true) aborted();
      if (this.#closing.signal.aborted) closed();
      this.#timer ??= every(this.#clock, lookMs, () => this.reconsider());
    });
  }

  async #look(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#lookOnce();
    }
    if (this.#users.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Asks everybody once, in their turns. Who is refused stays in the same order. */
  async #lookOnce(): Promise<void> {
    const full = new Set<string>();
    const staying: Waiter[] = [];
    for (let waiter = this.#line.take(); waiter !== null; waiter = this.#line.take()) {
      if (waiter.isOver()) continue;
      const user = `${waiter.group}/${waiter.lane}`;
      const refused = full.has(user) ? undefined : await waiter.attempt();
      if (refused === null) continue;
      if (refused?.of === "user") full.add(user);
      staying.push(waiter);
    }
    for (const waiter of staying) if (!waiter.isOver()) this.#line.add(waiter, waiter);
  }

  #countUser(wish: { readonly orgId: string; readonly userId: string }, change: number): void {
    const count = (this.#users.get(userOf(wish)) ?? 0) + change;
    if (count === 0) this.#users.delete(userOf(wish));
    else this.#users.set(userOf(wish), count);
  }
}

function userOf({ orgId, userId }: { readonly orgId: string; readonly userId: string }): string {
  return `${orgId}/${userId}`;
}

function cancelled(): BerthError {
  return new BerthError("cancelled", "The wait for a sandbox was broken off.");
}

function tooLate(): BerthError {
  return new BerthError("sandbox_quota", "Others of this user wait for a sandbox already; try again later.", {
    retryable: true,
    details: { retryAfterMs: 5_000 },
  });
}

function stopping(): BerthError {
  return new BerthError("sandbox_gone", "The server is stopping; try again in a moment.", {
    retryable: true,
  });
}
