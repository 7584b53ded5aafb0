/** Rate limits and concurrency slots. Slots are leases, so that a crash frees them. */
export interface Counter {
  /**
   * Takes `tokens` from a bucket that holds `capacity` and refills evenly in `perMs`; takes nothing when it holds fewer.
   * Throws `too_many_tokens` for more than `capacity`.
   */
  takeTokens(
    key: string,
    options: { tokens: number; capacity: number; perMs: number },
  ): Promise<{ ok: boolean; remaining: number; retryAfterMs: number }>;
  /** One of `slots` places under a key, for a holder, until `leaseMs` from now; taking it again renews it. */
  takeSlot(key: string, holder: string, options: { slots: number; leaseMs: number }): Promise<boolean>;
  freeSlot(key: string, holder: string): Promise<void>;
  slotsTaken(key: string): Promise<number>;
  close(): Promise<void>;
}
