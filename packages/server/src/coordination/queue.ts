/** A wake-up: this session has something to do. Wake-ups may be lost or doubled; the sweep re-derives them from the store. */
export interface WakeUp {
  readonly orgId: string;
  readonly sessionId: string;
}

export interface Queue {
  /** Does nothing after `close`: the sweep finds the session again. */
  push(wakeUp: WakeUp): Promise<void>;
  /** The next wake-up, fair across organizations (round-robin over the orgs that wait). Null when the signal aborts. Doubles that wait are merged. */
  take(signal: AbortSignal): Promise<WakeUp | null>;
  /** How many wait. */
  size(): Promise<number>;
  /** Ends every taker with null. */
  close(): Promise<void>;
}
