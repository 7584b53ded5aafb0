import type { Blocking, Overrun, Reserve } from "../store/budgets.ts";
import type { Draft } from "./draft.ts";
import { lostCall } from "./lost-call.ts";

/** The model calls of one session that this holder has begun, and what budgets said to them. */
export class CallsUnderWay {
  /** What was in the way of calls that the log knows already; the next turn decides what follows. */
  readonly blocking: Blocking[] = [];
  /** Budgets that the session went beyond, until it is told. */
  readonly overruns: Overrun[] = [];
  readonly #reserved = new Map<string, Reserve>();

  get isEmpty(): boolean {
    return this.blocking.length === 0 && this.overruns.length === 0 && this.#reserved.size === 0;
  }

  /** True when this holder has reserved the call; one that another holder began has to be reserved anew. */
  has(call: string): boolean {
    return this.#reserved.has(call);
  }

  /** Notes what the store has taken. */
  begun(reserves: readonly Reserve[], overruns: readonly Overrun[]): void {
    for (const reserve of reserves) this.#reserved.set(reserve.call, reserve);
    this.overruns.push(...overruns);
  }

  ended({ settles }: Pick<Draft, "settles">): void {
    for (const { call } of settles) this.#reserved.delete(call);
  }

  /**
   * A run that is over, also when the next one begins with the same commit: a compaction that was under way has no event of its own, and is
   * counted as lost. What it held back would be in the way of the next run.
   */
  settleRest({ settles, state }: Pick<Draft, "settles" | "state">, now: number): void {
    const ended = new Set(settles.map(({ call }) => call));
    for (const reserve of this.#reserved.values())
      if (reserve.runId !== state.run?.id && !ended.has(reserve.call)) settles.push(lostCall(reserve, now));
  }
}
