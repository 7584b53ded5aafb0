import { createHash } from "node:crypto";
import type { Counter } from "../coordination/counter.ts";
import { addressGroup } from "../lib/addresses.ts";
import { type Clock, pause } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";

/** Slows guessing down. */
export interface LoginAttempts {
  /** Counts one. Rejects with `too_many_attempts`; resolves late for an account that many addresses are trying at once. */
  take(attempt: { readonly email: string; readonly address: string }): Promise<void>;
}

export interface LoginAttemptsOptions {
  readonly counter: Counter;
  readonly clock: Clock;
  /** From one address to one account, within `perMs`. */
  readonly attempts: number;
}

const perMs = 600_000;
/** To all accounts together an address may try so many times as often: many people share one. */
const addressFactor = 10;
/** Attempts on one account from everywhere, above which each has to wait. */
const accountFactor = 5;
const slowMs = 2_000;

/**
 * Three buckets: an address and an account, an address, an account. The first two refuse, and their address can be the guesser's own
 * alone. The third only slows down: were it to refuse, whoever guesses could lock the account's owner out.
 */
export function createLoginAttempts({ counter, clock, attempts }: LoginAttemptsOptions): LoginAttempts {
  const take = (key: string, capacity: number) => counter.takeTokens(key, { tokens: 1, capacity, perMs });
  return {
    async take({ email, address }) {
      const from = addressGroup(address);
      const account = createHash("sha256").update(email).digest("base64url");
      const here = await take(`login ${from}`, attempts * addressFactor);
      const both = here.ok ? await take(`login ${from} ${account}`, attempts) : here;
      if (!both.ok) throw tooManyAttempts(both.retryAfterMs);
      const everywhere = await take(`login * ${account}`, attempts * accountFactor);
      if (!everywhere.ok) await pause(clock, slowMs);
    },
  };
}

function tooManyAttempts(retryAfterMs: number): BerthError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return new BerthError(
    "too_many_attempts",
    `Too many attempts to log in from here: try again in ${seconds} seconds.`,
    { retryable: true, details: { retryAfterMs } },
  );
}
