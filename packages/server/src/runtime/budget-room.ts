import type { Clock, TimerHandle } from "../lib/clock.ts";

/** A run that waits until calls under way have left something of a budget. */
export interface RoomWaiter {
  nudge(): void;
}

/** Runs that try again when a call of their organization has ended here. The others find out by the timer. */
const nudgedAtOnce = 8;
/** How long until all try again: calls end in other processes too. Milliseconds. */
const retryMs = 1_000;

/**
 * Runs that wait for room in a budget: not for more of it, but for calls under way that may come to its limit, and mostly do not. They
 * try again soon, so nothing of this is kept in the store.
 */
export class BudgetRoom {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<RoomWaiter>>();
  #timer: TimerHandle | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The waiter is nudged once. */
  wait(orgId: string, waiter: RoomWaiter): void {
    const waiting = this.#waiting.get(orgId) ?? new Set();
    waiting.add(waiter);
    this.#waiting.set(orgId, waiting);
    this.#timer ??= this.#clock.after(retryMs, () => this.#nudgeAll());
  }

  /** Whether it waits, and does not try again just now. */
  has(orgId: string, waiter: RoomWaiter): boolean {
    return this.#waiting.get(orgId)?.has(waiter) === true;
  }

  leave(orgId: string, waiter: RoomWaiter): void {
    this.#waiting.get(orgId)?.delete(waiter);
  }

  /** A call of this organization has ended. */
  settled(orgId: string): void {
    const waiting = this.#waiting.get(orgId);
    if (waiting === undefined) return;
    for (const waiter of [...waiting].slice(0, nudgedAtOnce)) {
      waiting.delete(waiter);
      waiter.nudge();
    }
    if (waiting.size === 0) this.#waiting.delete(orgId);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#waiting.clear();
  }

  #nudgeAll(): void {
    this.#timer = null;
    const all = [...this.#waiting.values()].flatMap((waiting) => [...waiting]);
    this.#waiting.clear();
    for (const waiter of all) waiter.nudge();
  }
}
