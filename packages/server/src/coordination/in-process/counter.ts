import { type Clock, systemClock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { Counter } from "../counter.ts";

interface Bucket {
  readonly tokens: number;
  /** When it held that many, on the monotonic clock. */
  readonly at: number;
  /** From then on it is full, which is what an unknown bucket is, and may be forgotten. */
  readonly fullAt: number;
}

/** Below this many buckets none are looked for that could be forgotten. */
const fewBuckets = 1_000;

/** In tokens: who waits as long as it was told must not find a bucket that is a rounding error short. */
const roundingError = 1e-6;

/** Token buckets and slot leases within one process. */
export function createInProcessCounter({ clock = systemClock }: { readonly clock?: Clock } = {}): Counter {
  const buckets = new Map<string, Bucket>();
  const leases = new Map<string, Map<string, number>>();
  let forgetAt = fewBuckets;

  /** Costs O(1) for each bucket made, as it waits until their number has doubled. */
  function forgetFullBuckets(now: number): void {
    if (buckets.size < forgetAt) return;
    for (const [key, bucket] of buckets) if (bucket.fullAt <= now) buckets.delete(key);
    forgetAt = Math.max(fewBuckets, buckets.size * 2);
  }

  function livingLeases(key: string): Map<string, number> {
    const holders = leases.get(key) ?? new Map<string, number>();
    const now = clock.monotonic();
    for (const [holder, until] of holders) if (until <= now) holders.delete(holder);
    if (holders.size === 0) leases.delete(key);
    return holders;
  }

  return {
    async takeTokens(key, { tokens, capacity, perMs }) {
      if (tokens > capacity) {
        throw new BerthError("too_many_tokens", `a bucket of ${capacity} can never give ${tokens} at once`);
      }
      const now = clock.monotonic();
      const perToken = perMs / capacity;
      const bucket = buckets.get(key) ?? { tokens: capacity, at: now };
      const held = Math.min(capacity, bucket.tokens + (now - bucket.at) / perToken);
      const ok = held >= tokens - roundingError;
      const left = ok ? Math.max(0, held - tokens) : held;
      buckets.set(key, { tokens: left, at: now, fullAt: now + (capacity - left) * perToken });
      forgetFullBuckets(now);
      return {
        ok,
        remaining: Math.floor(left),
        retryAfterMs: ok ? 0 : Math.ceil((tokens - held) * perToken),
      };
    },

    async takeSlot(key, holder, { slots, leaseMs }) {
      const holders = livingLeases(key);
      if (!holders.has(holder) && holders.size >= slots) return false;
      leases.set(key, holders.set(holder, clock.monotonic() + leaseMs));
      return true;
    },

    async freeSlot(key, holder) {
      const holders = livingLeases(key);
      if (holders.delete(holder) && holders.size === 0) leases.delete(key);
    },

    async slotsTaken(key) {
      return livingLeases(key).size;
    },

    async close() {
      buckets.clear();
      leases.clear();
    },
  };
}
