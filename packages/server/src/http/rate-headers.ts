import type { Allowance } from "../limits/rate-limits.ts";

/**
 * `RateLimit-Policy` and `RateLimit` as the draft standard writes them (draft-ietf-httpapi-ratelimit-headers): the limit that the
 * request came closest to, what is left of it, and in how many seconds it is whole again.
 */
export function rateHeaders(allowance: Allowance): readonly [policy: string, limit: string] {
  const { policy, capacity, perMs, remaining } = allowance;
  const whole = Math.ceil(((capacity - remaining) * perMs) / capacity / 1_000);
  return [
    `"${policy}";q=${capacity};w=${Math.round(perMs / 1_000)}`,
    `"${policy}";r=${remaining};t=${whole}`,
  ];
}
