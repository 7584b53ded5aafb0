import type { Clock } from "../lib/clock.ts";

/** What was looked up a moment ago, by organization, so that it can be dropped when something changes there. */
export interface ShortMemory<V> {
  get(key: string): V | undefined;
  set(key: string, orgId: string, value: V): void;
  /** Null: everything. */
  forget(orgId: string | null): void;
}

interface Kept<V> {
  readonly value: V;
  readonly orgId: string;
  /** On the monotonic clock. */
  readonly until: number;
}

export interface ShortMemoryOptions {
  readonly clock: Clock;
  readonly ttlMs: number;
  /** How much is kept; what is oldest goes first. */
  readonly limit?: number;
}

export function createShortMemory<V>({ clock, ttlMs, limit = 20_000 }: ShortMemoryOptions): ShortMemory<V> {
  // In the order of writing, which is the order of expiry.
  const entries = new Map<string, Kept<V>>();

  return {
    get(key) {
      const found = entries.get(key);
      if (found === undefined) return undefined;
      if (found.until > clock.monotonic()) return found.value;
      entries.delete(key);
      return undefined;
    },
    set(key, orgId, value) {
      entries.delete(key);
      entries.set(key, { value, orgId, until: clock.monotonic() + ttlMs });
      if (entries.size <= limit) return;
      const oldest = entries.keys().next();
      if (!oldest.done) entries.delete(oldest.value);
    },
    forget(orgId) {
      if (orgId === null) return entries.clear();
      for (const [key, kept] of entries) if (kept.orgId === orgId) entries.delete(key);
    },
  };
}
