/**
 * Made part of a change's own transaction. Same scope and key: with the same hash the stored result comes back and nothing
 * is done again; with another, `idempotency_mismatch`. `scope` is principal, method and path. Kept 24 h.
 */
export interface Idempotency {
  readonly scope: string;
  readonly key: string;
  readonly bodyHash: string;
}

/** A result that may have been stored by an earlier request with the same idempotency key. */
export interface Outcome<T> {
  readonly result: T;
  readonly replayed: boolean;
}

/** What a change that is no repetition is rejected with: code, message and details of a BerthError. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}
