import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { clockTolerance, type TokenClaims } from "../protocol/token.ts";

const most = 200_000;

/** Remembers the tokens of calls that may not be repeated, for as long as they are valid. */
export interface UsedTokens {
  /** False when the token was used before, or may have been before this host was started. Throws `sandbox_unavailable` when there are too many. */
  use(claims: TokenClaims): boolean;
}

export function createUsedTokens(clock: Clock): UsedTokens {
  const used = new Map<string, number>();
  // What was used before the start is not known any more, so nothing that was made before it is taken.
  const startedAt = Math.floor(clock.now() / 1_000) - 1;

  function forgetExpired(): void {
    const now = clock.now() / 1_000 - clockTolerance;
    for (const [id, expiresAt] of used) if (expiresAt < now) used.delete(id);
  }

  return {
    use({ sub, jti, iat, exp }) {
      const id = `${sub} ${jti}`;
      if (iat < startedAt || used.has(id)) return false;
      if (used.size % 1_000 === 999) forgetExpired();
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
