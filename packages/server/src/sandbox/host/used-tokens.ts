import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { clockTolerance } from "../protocol/token.ts";
import type { VerifiedClaims } from "./verify-token.ts";

/** Of one key at once: what one server uses up is nobody else's. */
const mostOfKey = 100_000;

/** Remembers the tokens of calls that may not be repeated, for as long as they are valid. */
export interface UsedTokens {
  /** False when the token was used before, or may have been before this host was started. Throws `sandbox_unavailable` when there are too many. */
  use(claims: Pick<VerifiedClaims, "key" | "sub" | "jti" | "iat" | "exp">): boolean;
}

export function createUsedTokens(clock: Clock, most = mostOfKey): UsedTokens {
  /** By key and then by token, until when it is valid. */
  const byKey = new Map<string, Map<string, number>>();
  // What was used before the start is not known any more, so nothing that was made before it is taken.
  const startedAt = Math.floor(clock.now() / 1_000) - 1;

  function forgetExpired(used: Map<string, number>): void {
    const now = clock.now() / 1_000 - clockTolerance;
    for (const [id, expiresAt] of used) if (expiresAt < now) used.delete(id);
  }

  return {
    use({ key, sub, jti, iat, exp }) {
      const id = `${sub} ${jti}`;
      const used = byKey.get(key) ?? new Map<string, number>();
      byKey.set(key, used);
      if (iat < startedAt || used.has(id)) return false;
      if (used.size % 1_000 === 999 || used.size >= most) forgetExpired(used);
      if (used.size >= most) {
        throw new BerthError(
          "sandbox_unavailable",
          "This sandbox host has too many calls; try again later.",
          {
            retryable: true,
          },
        );
      }
      used.set(id, exp);
      return true;
    },
  };
}
