/** A wake-up: this session has something to do. Wake-ups may be lost or doubled; the sweep re-derives them from the store. */
export interface WakeUp {
  readonly orgId: string;
  readonly sessionId: string;
  /** Whose session it is, when that is known: the owners of an organization take turns. */
  readonly owner?: string;
  /** Somebody waits for what needs no place among the runs: an interrupt, a decision, a change of title. */
  readonly urgent?: boolean;
}

export interface TakeOptions {
  /** Organizations whose wake-ups wait on, unless they are urgent: they could not run here. */
  readonly without?: ReadonlySet<string>;
}

export interface Queue {
  /** Does nothing after `close`: the sweep finds the session again. */
  push(wakeUp: WakeUp): Promise<void>;
  /**
   * The next wake-up; urgent ones first. Fair across organizations: they come by turns, as often as their weights say, and so do the
   * owners within one. Null when the signal aborts. Doubles that wait are merged.
   */
  take(signal: AbortSignal, options?: TakeOptions): Promise<WakeUp | null>;
  /** How many wait. */
  size(): Promise<number>;
  /** Ends every taker with null. */
  close(): Promise<void>;
}
