import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { Clock } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import { fetchDocument } from "./fetch-document.ts";

export interface KeySourceOptions {
  readonly issuer: string;
  /** Where its keys are; null: its discovery document says so. */
  readonly jwksUri: string | null;
  readonly clock: Clock;
  /** Least time between two fetches, whatever key ids the tokens name. Milliseconds. */
  readonly cooldownMs: number;
  /** After so long the keys are fetched again, so that one that was taken back stops working. Milliseconds. */
  readonly maxAgeMs: number;
  readonly fetch?: typeof globalThis.fetch;
  readonly report: (error: unknown) => void;
}

/** An identity provider's public keys, fetched when they are wanted and not more often than the cooldown allows. */
export interface KeySource {
  /** Rejects with jose's errors for a key that is not there, and with `identity_provider_unavailable` while no keys could be had. */
  readonly key: JWTVerifyGetKey;
  stop(): void;
}

/** While there are no keys at all nobody gets in, so the next try comes sooner. */
const emptyCooldownMs = 5_000;

/** Keys that could not be fetched again are used for so much longer than their age. */
const graceFactor = 6;

export function createKeySource(options: KeySourceOptions): KeySource {
  const { issuer, clock, cooldownMs, maxAgeMs, fetch = globalThis.fetch, report } = options;
  const ended = new AbortController();
  let keys: ReturnType<typeof createLocalJWKSet> | null = null;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | null = null;
  let jwksUri = options.jwksUri;

  async function fetchKeys(): Promise<void> {
    try {
      const at = { fetch, signal: ended.signal };
      jwksUri ??= jwksUriOf(await fetchDocument(discoveryUrl(issuer), at), issuer);
      keys = createLocalJWKSet((await fetchDocument(jwksUri, at)) as JSONWebKeySet);
      fetchedAt = clock.monotonic();
    } catch (error) {
      if (!ended.signal.aborted) report(error);
    }
  }

  /** Many who want them at once share one fetch; within the cooldown there is none. */
  async function refresh(): Promise<void> {
    if (fetching === null) {
      const wait = keys === null ? Math.min(cooldownMs, emptyCooldownMs) : cooldownMs;
      if (clock.monotonic() - triedAt < wait) return;
      triedAt = clock.monotonic();
      fetching = fetchKeys().finally(() => (fetching = null));
    }
    await fetching;
  }

  function current(): ReturnType<typeof createLocalJWKSet> {
    if (keys !== null && clock.monotonic() - fetchedAt < maxAgeMs * graceFactor) return keys;
    throw new BerthError(
      "identity_provider_unavailable",
      "The keys of the identity provider cannot be fetched just now: try again in a moment.",
      { retryable: true },
    );
  }

  return {
    async key(header, token) {
      if (keys === null || clock.monotonic() - fetchedAt >= maxAgeMs) await refresh();
      try {
        return await current()(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        await refresh();
        return current()(header, token);
      }
    },
    stop: () => ended.abort(),
  };
}

function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

function jwksUriOf(document: unknown, issuer: string): string {
  const { issuer: named, jwks_uri: uri } = document as { issuer?: unknown; jwks_uri?: unknown };
  if (named !== issuer || typeof uri !== "string" || !URL.canParse(uri)) {
    throw new Error(`the discovery document of ${issuer} is not its own or names no keys`);
  }
  return uri;
}
