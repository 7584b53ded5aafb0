import { type Clock, within } from "../../lib/clock.ts";
import type { Draft } from "../draft.ts";

/** Writes what an effect led to into the draft of a turn, decided against the state of that time. */
export type Completion = (draft: Draft) => void | Promise<void>;

interface Running {
  readonly abort: AbortController;
  readonly settled: Promise<void>;
}

/** How long an aborted effect may take to let go before its session goes on without it. Milliseconds. */
const settleMs = 1_000;

/** The effects of one session that are under way. Each is wanted by an action of nextStep; what is not wanted any more is aborted. */
export class Effects {
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #onFault: (error: unknown) => void;
  readonly #running = new Map<string, Running>();
  readonly #letGo = new Set<Promise<void>>();
  /** Keys whose completion waits for the next turn: the log does not say yet that they are done, so they are not to be started again. */
  readonly #finished = new Set<string>();
  #completions: Completion[] = [];

  constructor(clock: Clock, wake: () => void, onFault: (error: unknown) => void) {
    this.#clock = clock;
    this.#wake = wake;
    this.#onFault = onFault;
  }

  get size(): number {
    return this.#running.size + this.#letGo.size;
  }

  /** True when nothing is under way and nothing waits for the next turn. */
  get isEmpty(): boolean {
    return this.size === 0 && this.#finished.size === 0 && this.#completions.length === 0;
  }

  /** True from an effect's start until its completion was taken. */
  has(key: string): boolean {
    return this.#running.has(key) || this.#finished.has(key);
  }

  keys(): readonly string[] {
    return [...this.#running.keys(), ...this.#finished];
  }

  /**
   * Starts an effect under a key; its completion is taken at the session's next turn. `work` tells what goes wrong by its completion: what
   * it throws is a fault of ours, which ends this session's actor and nothing else.
   */
  start(key: string, work: (signal: AbortSignal) => Promise<Completion>): void {
    const abort = new AbortController();
    const finished = work(abort.signal).then((completion) => {
      if (this.#running.get(key)?.abort !== abort) return;
      this.#running.delete(key);
      this.#finished.add(key);
      this.complete(completion);
    });
    const settled = finished.catch((error: unknown) => {
      if (this.#running.get(key)?.abort === abort) this.#onFault(error);
    });
    this.#running.set(key, { abort, settled });
  }

  /** Hands in events from the side: a retry that is told while its call goes on. */
  complete(completion: Completion): void {
    this.#completions.push(completion);
    this.#wake();
  }

  /** What finished since the last call. */
  take(): readonly Completion[] {
    const taken = this.#completions;
    this.#completions = [];
    this.#finished.clear();
    return taken;
  }

  /** Aborts every effect that is not wanted; their outcomes are dropped. */
  keepOnly(wanted: ReadonlySet<string>): void {
    for (const [key, effect] of this.#running) if (!wanted.has(key)) this.#abort(key, effect);
  }

  /** Aborts everything and waits until it has let go, for a bounded time. */
  async abortAll(): Promise<void> {
    this.keepOnly(new Set());
    await this.settled();
  }

  /** Resolves when no aborted effect is still letting go, after a second at the most. */
  async settled(): Promise<void> {
    if (this.#letGo.size === 0) return;
    await within(this.#clock, settleMs, () => Promise.all(this.#letGo));
    this.#letGo.clear();
  }

  #abort(key: string, effect: Running): void {
    this.#running.delete(key);
    effect.abort.abort();
    const gone = effect.settled.finally(() => this.#letGo.delete(gone));
    this.#letGo.add(gone);
  }
}
